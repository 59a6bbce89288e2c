"""The chart: a bar for each case and peer, as long as the logarithm of its ratio to the floor."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log10

_LABELS, _WIDTH, _ROW, _TOP = 290, 430, 26, 34


def svg(bars: Sequence[tuple[str, float, bool]], title: str) -> str:
    """``bars``: label, ratio to the floor, and whether it is ours."""
    decades = max(1, ceil(log10(max(ratio for _, ratio, _ in bars))))
    height = _TOP + _ROW * len(bars) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LABELS + _WIDTH + 70} {height}"'
        ' font-family="sans-serif" font-size="13" role="img">',
        f"<title>{title}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="8" y="20" font-weight="bold">{title}</text>',
    ]
    for decade in range(decades + 1):
        x = _LABELS + _WIDTH * decade / decades
        parts.append(f'<path d="M{x:.0f} {_TOP - 4}V{height - 22}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.0f}" y="{height - 8}" text-anchor="middle" fill="#666">{10**decade}×</text>')
    for row, (label, ratio, ours) in enumerate(bars):
        y, length = _TOP + _ROW * row, max(2.0, _WIDTH * log10(max(ratio, 1)) / decades)
        colour = "#0a6cad" if ours else "#b9b9b9"
        parts.append(f'<text x="{_LABELS - 8}" y="{y + 16}" text-anchor="end">{label}</text>')
        parts.append(f'<rect x="{_LABELS}" y="{y + 3}" width="{length:.0f}" height="{_ROW - 8}" fill="{colour}"/>')
        parts.append(f'<text x="{_LABELS + length + 6:.0f}" y="{y + 16}">{ratio:.1f}×</text>')
    return "\n".join([*parts, "</svg>", ""])
