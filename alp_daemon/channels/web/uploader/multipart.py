"""A form with one file, read as it comes: the file goes on to the spool and is never whole in memory."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request
from starlette.types import Message

from alp_daemon.channels.web.problems import HttpProblem

FORM_ROOM = 2**16
"""Bytes that a form may have besides its file."""
_FORM = "multipart/form-data"
_MOST_PARTS = 20
_LONGEST_FIELD = 2**10


class UploadForm:
    """The fields of the form, and the name of its file, once the file has been read. Raises ``HttpProblem``."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind.decode("latin-1") != _FORM or not options.get(b"boundary"):
            raise HttpProblem(415, f"expected a form with a file ({_FORM})", {"Accept": _FORM})
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.is_whole = False
        self._parts = 0
        self._header, self._value = bytearray(), bytearray()
        self._part = _Part()
        self._file: _Part | None = None
        self._found = bytearray()
        self._besides = 0
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def file_bytes(self, body: bytes) -> bytes:
        """Takes the next piece of the body; returns what of it is the file's."""
        try:
            self._parser.write(body)
        except FormParserError as error:
            raise HttpProblem(400, f"this form cannot be read: {error}") from None
        found = bytes(self._found)
        self._found.clear()
        # A body in chunks announces no length: without this, what follows the file could go on for ever.
        self._besides += len(body) - len(found)
        if self._besides > FORM_ROOM:
            raise HttpProblem(413, f"a form may have {FORM_ROOM:,} bytes besides its file")
        return found

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise HttpProblem(400, f"a form has at most {_MOST_PARTS} parts here")
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._part.name = _text(options.get(b"name", b""))
            if b"filename" in options:
                self._part.filename = _text(options[b"filename"])
        self._header.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        if self._part.filename is None:
            return
        if self._file is not None:
            raise HttpProblem(400, "send one file at a time")
        self._file = self._part
        self.filename = self._part.filename

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is self._file:
            self._found += data[start:end]
        elif len(self._part.value) + end - start > _LONGEST_FIELD:
            raise HttpProblem(400, f"a field of this form has at most {_LONGEST_FIELD} bytes")
        else:
            self._part.value += data[start:end]

    def _on_part_end(self) -> None:
        if self._part is not self._file:
            self.fields[self._part.name] = _text(bytes(self._part.value))

    def _on_end(self) -> None:
        self.is_whole = True


class _Part:
    """A part of the form; one with a ``filename`` is the file."""

    def __init__(self) -> None:
        self.name = ""
        self.filename: str | None = None
        self.value = bytearray()


def only_the_file(request: Request, form: UploadForm) -> Request:
    """The same request, whose body is the form's file alone. A form cut short raises ``HttpProblem`` at its end."""

    async def receive() -> Message:
        message = await request.receive()
        if message["type"] != "http.request":
            return message
        file = form.file_bytes(message.get("body", b""))
        if not message.get("more_body") and not form.is_whole:
            raise HttpProblem(400, "the form ended before its announced end")
        return {**message, "body": file}

    return Request(request.scope, receive)


def _text(value: bytes) -> str:
    # Browsers write names in the page's encoding, which is UTF-8; other programs may not.
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
