"""What holds of the intake with a folder of its own holds with shared storage: the same tests."""

from __future__ import annotations

from tests.intake.test_drop import (
    test_a_file_at_rest_is_moved_into_the_queue,
    test_a_file_replaced_since_the_look_is_looked_at_again,
    test_a_name_that_no_feed_takes_is_rejected_after_a_minute,
    test_order_is_by_time_then_name,
    test_sidecars_work_in_the_folder_too,
    watcher,
)
from tests.intake.test_receive import (
    test_a_locked_database_is_a_passing_refusal_that_keeps_nothing,
    test_a_name_never_reaches_the_file_system,
    test_a_received_file_is_an_object_of_its_own_with_a_record,
    test_an_aborted_file_leaves_nothing,
    test_no_space_left_keeps_nothing,
    test_take_copies_a_file_and_leaves_it,
    test_take_names_a_missing_file,
    test_take_reads_a_pipe,
)
from tests.intake.test_recover import (
    test_a_fresh_folder_has_nothing_to_recover,
    test_what_another_process_is_receiving_stays,
)
from tests.intake.test_together import (
    test_a_file_that_cannot_be_kept_leaves_the_others_alone,
    test_a_locked_database_keeps_none_of_them,
    test_each_file_has_its_own_record_in_the_order_given,
    test_verdicts_go_with_the_files,
)
from tests.intake.test_waiting import (
    test_a_good_sha256_proves_the_file,
    test_a_sha256_that_differs_is_a_cut,
    test_a_sidecar_without_a_digest_says_nothing,
    test_delete_erases_the_bytes_and_keeps_the_record,
    test_done_proves_what_was_not_seen_to_break,
)

__all__ = [
    "test_a_file_at_rest_is_moved_into_the_queue",
    "test_a_file_replaced_since_the_look_is_looked_at_again",
    "test_a_file_that_cannot_be_kept_leaves_the_others_alone",
    "test_a_fresh_folder_has_nothing_to_recover",
    "test_a_good_sha256_proves_the_file",
    "test_a_locked_database_is_a_passing_refusal_that_keeps_nothing",
    "test_a_locked_database_keeps_none_of_them",
    "test_a_name_never_reaches_the_file_system",
    "test_a_name_that_no_feed_takes_is_rejected_after_a_minute",
    "test_a_received_file_is_an_object_of_its_own_with_a_record",
    "test_a_sha256_that_differs_is_a_cut",
    "test_a_sidecar_without_a_digest_says_nothing",
    "test_an_aborted_file_leaves_nothing",
    "test_delete_erases_the_bytes_and_keeps_the_record",
    "test_done_proves_what_was_not_seen_to_break",
    "test_each_file_has_its_own_record_in_the_order_given",
    "test_no_space_left_keeps_nothing",
    "test_order_is_by_time_then_name",
    "test_sidecars_work_in_the_folder_too",
    "test_take_copies_a_file_and_leaves_it",
    "test_take_names_a_missing_file",
    "test_take_reads_a_pipe",
    "test_verdicts_go_with_the_files",
    "test_what_another_process_is_receiving_stays",
    "watcher",
]
