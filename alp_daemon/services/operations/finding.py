"""One thing that is not as it should be, or worth knowing, as the doctor tells it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Literal["error", "warning", "info"]
    message: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)
