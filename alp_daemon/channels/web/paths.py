"""What stands in addresses besides words."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _UploadId(Convertor[int]):
    """Starlette's own ``int`` takes any number of digits, of which Python reads 4,300 and a database 18."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("upload", _UploadId())

UPLOAD = "{id:upload}"
"""The id of an upload, in the path of a route; ``request.path_params["id"]`` is the number."""
