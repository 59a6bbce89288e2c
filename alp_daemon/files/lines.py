"""Lines of a stream of UTF-8, with a limit, and with a way back to the bytes behind the last one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

MAX_ROW: Final = 2**20
"""Bytes that one row may have. A longer one is no row of a list: a quote is left open, or the line ends are missing."""


class RowTooLong(ValueError):
    """A row has more than ``MAX_ROW`` bytes."""


class Lines(Iterator[str]):
    """Lines with their ends (LF, CRLF or CR), which is what the csv module wants to be fed."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.exhausted = False
        """Somebody asked for a line behind the last one."""
        self._chunks = chunks
        self._ahead: Sequence[bytes] = ()
        self._at = 0
        self._carry = b""
        self._row_bytes = 0

    def begin_row(self) -> None:
        """The lines from here on belong to a new row."""
        self._row_bytes = 0

    def __next__(self) -> str:
        while self._at == len(self._ahead):
            self._read_ahead()
        line = self._ahead[self._at]
        self._at += 1
        self._row_bytes += len(line)
        if self._row_bytes > MAX_ROW:
            raise RowTooLong
        return line.decode()

    def skip_blank(self, padding: bytes) -> int:
        """Pass over the next lines as far as they hold nothing but ``padding``; return how many.

        It looks at what has been read already, and no further: there may be more behind.
        """
        begin = self._at
        while self._at < len(self._ahead):
            line = self._ahead[self._at]
            if line.strip(padding) or len(line) > MAX_ROW:
                break
            self._at += 1
        return self._at - begin

    def rest(self) -> Iterator[bytes]:
        """The bytes behind the last line given out. The lines themselves are used up by this."""
        yield b"".join(self._ahead[self._at :]) + self._carry
        yield from self._chunks

    def _read_ahead(self) -> None:
        if len(self._carry) > MAX_ROW:
            raise RowTooLong
        chunk = next(self._chunks, None)
        if chunk is None:
            if not self._carry:
                self.exhausted = True
                raise StopIteration
            self._ahead, self._at, self._carry = (self._carry,), 0, b""
            return
        # bytes.splitlines knows LF, CRLF and CR only; str.splitlines would also split at U+2028, form feeds…
        lines = (self._carry + chunk).splitlines(keepends=True)
        self._carry = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        self._ahead, self._at = lines, 0
