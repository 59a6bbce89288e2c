"""What becomes of each row: blank, ragged, filtered, refused, or numbers with tags for the list."""

from __future__ import annotations

import numpy as np

from alp_daemon.domain.model import Buckets, Codes, Keys, Listed, Rejects
from alp_daemon.files.blocks import Mask
from alp_daemon.files.combinations import Combinations
from alp_daemon.files.fieldmap import FieldMap
from alp_daemon.files.growing import Growing
from alp_daemon.files.judge import Judged
from alp_daemon.files.merge import merge
from alp_daemon.files.phonecells import BLANK, PhoneCells, Verdicts
from alp_daemon.files.refusals import Refusals


class Tally:
    """Takes judged blocks in order, and then says what the file as a whole says.

    A row is rejected only if none of its cells is a number; a bad cell beside a good one, and a bad tag, is a reject
    that does not reject the row.
    """

    def __init__(self, field_map: FieldMap, cells: PhoneCells) -> None:
        self.buckets = Buckets()
        self.rejects = Rejects()
        self._map = field_map
        self._cells = cells
        self.combinations = Combinations(field_map.constants)
        self._keys = Growing(np.int64)
        self._tag_sets = Growing(np.int32)
        self._begins_row = Growing(np.bool_)
        self._unusable = Growing(np.int64)

    def add(self, judged: Judged) -> None:
        valid = judged.kept & (judged.verdicts > BLANK).any(axis=0)
        self.buckets.read += len(judged.block)
        self.buckets.blank += int(np.count_nonzero(judged.blank))
        self.buckets.filtered += int(np.count_nonzero(judged.filtered))
        self.buckets.rejected += len(judged.ragged) + int(np.count_nonzero(judged.kept & ~valid))

        Refusals(judged, self._map, self._cells).add_to(self.rejects)
        self._collect(judged.verdicts, valid, self.combinations.of_rows(len(judged.block), judged.tags))
        self._unusable.extend(judged.unusable)

    def pass_over(self, blank: int) -> None:
        """Counts blank rows that are in no block."""
        self.buckets.read += blank
        self.buckets.blank += blank

    def finish(self) -> tuple[Listed, Keys]:
        """Return the addresses of all blocks and those to be opted out, and complete the buckets."""
        merged = merge(self._keys.take(), self._tag_sets.take(), self._begins_row.take(), self.combinations.sets)
        self.buckets.listed = merged.rows_listed
        self.buckets.duplicate = merged.rows - merged.rows_listed
        self.buckets.numbers = merged.numbers
        return merged.listed, merged.removed

    def unusable(self) -> Keys:
        """The numbers of all blocks that were refused: the file does name them. For once, like ``finish``."""
        return np.unique(self._unusable.take())

    def _collect(self, verdicts: Verdicts, valid: Mask, tag_sets: Codes) -> None:
        """Keep the numbers of the valid rows, row after row."""
        by_row = verdicts.T[valid]
        is_number = by_row > BLANK
        counts = is_number.sum(axis=1)
        begins_row = np.zeros(int(counts.sum()), np.bool_)
        begins_row[np.cumsum(counts) - counts] = True
        self._keys.extend(by_row[is_number])
        self._tag_sets.extend(np.repeat(tag_sets[valid], counts))
        self._begins_row.extend(begins_row)
