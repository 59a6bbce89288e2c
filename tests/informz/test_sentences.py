"""The format's own text, sentence by sentence, and the tests that hold each to its word.

The sentences are those of Informz's documentation of BulkUpload, in its order. Where two of them contradict each
other, the decision stands behind the dash.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

SENTENCES = """
The processing options are AddOrUpdate-, ReplaceAll-, Remove-, Unsubscribe- and ResubscribeSubscribers
  files/informz/test_request.py test_the_five_actions
Upon completion of the upload process, an email notification is sent to any email addresses listed
  informz/test_mail.py test_each_address_listed_is_told_when_the_upload_is_complete
Request (the example)
  files/informz/test_request.py test_the_example_that_resubscribes_has_neither_interests_nor_details_of_format
Request with Demographic (the example)
  files/informz/test_request.py test_the_example_with_demographics
0 to n interest names — one at least for Remove and ReplaceAll, or a field Interest
  files/informz/test_request.py test_most_actions_need_no_interest
  informz/test_actions.py test_remove_and_replace_all_fail_where_no_interest_is_left
The interest(s) that all of these subscribers will be assigned to or removed from depending upon the action
  informz/test_actions.py test_add_subscribes_and_gives_the_interests
  informz/test_actions.py test_remove_takes_out_of_the_interest_and_leaves_the_subscriber
Use <Email/> in the tag if you do not wish to include a value
  informz/test_mail.py test_an_empty_address_means_nobody
The column delimiter character used in the file
  files/informz/test_request.py test_the_delimiter_is_a_tab_unless_there_is_another_sign
Are values enclosed in quotation marks? … quotations are not required in the data itself
  files/informz/test_subscribers.py test_quotes_count_only_where_declared_and_are_not_needed_then
Should existing personalization values be blanked out … Assumes False or NO will NOT
  informz/test_attributes.py test_a_blank_removes_a_personal_value_only_where_the_request_says_so
  informz/test_attributes.py test_a_blank_never_removes_what_is_no_personal_value
ColumnIndex: the column where the unique record identifier from the partner application resides — conflicts fail
  files/informz/test_request.py test_column_index_of_the_details_is_the_id
Not all columns in the incoming file have to be used; ignored if they are not identified in the FieldDefinitions
  informz/test_attributes.py test_only_defined_columns_are_kept
If the field does not exist it will be created
  informz/test_attributes.py test_a_field_is_made_by_the_first_request_that_defines_it
The name 'Email' is a reserved name; only one column can be defined as 'Email'
  files/informz/test_request.py test_the_name_email_needs_no_type
  files/informz/test_request.py test_what_is_refused
DataType: String, Integer, Float, Date — String where it is missing
  informz/test_attributes.py test_every_type_in_its_canonical_form
  files/informz/test_request.py test_field_definitions
A default value to use if the column is blank — of new subscribers and empty fields; else with RemovePersonalInfoIfBlank
  informz/test_attributes.py test_a_default_fills_blanks_of_new_subscribers_and_of_empty_fields
First column is column 1
  files/informz/test_request.py test_the_example_with_demographics
If left blank, the default value is PersonalInfo, others are Email, ID, Source, NewsFormat and Demographic
  files/informz/test_request.py test_field_definitions
Demographic types: Standard, State and Country. Default is Standard type
  informz/test_attributes.py test_a_standard_demographic_has_the_target_groups_that_are_used
IsMultiple: default is false
  informz/test_attributes.py test_several_values_where_the_field_takes_them
Email address must be the first entry in the Data Record, ID is the second entry
  files/informz/test_request.py test_what_is_refused
If when using ReplaceAll no "replacement" subscribers are included all subscribers are removed from the interest
  informz/test_actions.py test_replace_all_without_data_empties_the_interest_and_says_so
It is presumed that there will not be a header row in the file
  files/informz/test_subscribers.py test_there_is_no_header
Data needs to be "XML-safe": CDATA sections or HTML encoding
  files/informz/test_data.py test_cdata_and_entities_give_the_same
Leading and trailing blanks will be trimmed from the field
  files/informz/test_subscribers.py test_blanks_around_fields_are_trimmed_and_addresses_in_lower_case
Field definitions are ignored when using the RemoveSubscribers Interest Action
  informz/test_actions.py test_remove_takes_out_of_the_interest_and_leaves_the_subscriber
The only fields updated are those defined in FieldDefinitions
  informz/test_attributes.py test_only_defined_columns_are_kept
If the ColumnDelimiter tag isn't included, the delimiter will default to a Tab
  files/informz/test_request.py test_the_delimiter_is_a_tab_unless_there_is_another_sign
Incoming email addresses are converted to all lowercase
  informz/test_actions.py test_add_subscribes_and_gives_the_interests
The BulkUpload request supports characters in the ANSI character set
  files/informz/test_document.py test_ansi_text_and_unicode
Do not use the same interest in both the InterestDetails and Data nodes — if done, it is one membership
  informz/test_actions.py test_the_same_interest_in_both_places_is_one_membership
When new demographic is created the proper target groups is created also
  informz/test_attributes.py test_a_standard_demographic_has_the_target_groups_that_are_used
State or Country: the set of available states or countries will be created
  informz/test_attributes.py test_a_new_state_or_country_demographic_has_its_full_set
Field name is responding to Demographic category name
  informz/test_attributes.py test_a_standard_demographic_has_the_target_groups_that_are_used
Setting the type is important only if you want to create new demographic category
  informz/test_attributes.py test_the_type_matters_only_when_the_category_is_made
To explicitly include a Tab column delimiter use CDATA
  files/informz/test_request.py test_the_delimiter_is_a_tab_unless_there_is_another_sign
The response indicates the success or failure of the action (the example)
  web/test_informz.py test_a_request_is_answered_as_the_format_shows
  web/test_informz.py test_what_is_refused_names_its_cause_and_changes_nothing
A list of interests that can be attached with an incoming subscriber; these can vary from record to record
  informz/test_actions.py test_replace_all_by_the_interests_of_each_record
Commas are the interest delimiters used; other characters must be used for other delimiters
  files/informz/test_request.py test_what_is_refused
If you upload an interest name that does not currently exist, the upload will ignore it and continue
  informz/test_actions.py test_an_interest_that_nobody_made_is_ignored_and_reported
There can only be one FieldDefinition called "Interest"
  files/informz/test_request.py test_what_is_refused
The example with interests
  files/informz/test_subscribers.py test_the_example_with_interests
If no interests are incorporated within the XML, use commas as the standard field delimiter
  files/informz/test_request.py test_the_example_with_demographics
"""

ROWS = [
    (sentence, *line.split())
    for block in SENTENCES.replace("\n  ", "\x00").strip().splitlines()
    for sentence, *lines in [block.split("\x00")]
    for line in lines
]


@pytest.mark.parametrize(("sentence", "module", "test"), ROWS)
def test_each_sentence_has_its_test(sentence: str, module: str, test: str) -> None:
    assert test in _tests_of(module), sentence


def test_no_sentence_is_without_a_test() -> None:
    sentences = [line for line in SENTENCES.strip().splitlines() if not line.startswith("  ")]
    assert {row[0] for row in ROWS} == set(sentences)
    assert len(sentences) == len(set(sentences))


@cache
def _tests_of(module: str) -> set[str]:
    tree = ast.parse((TESTS / module).read_text(encoding="utf-8"))
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
