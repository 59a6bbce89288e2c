"""Texts that have broken programs before: as cells, tags, file names, messages and in configuration.

What each group is about stands above it. All are harmless to look at but for the terminal sequences.
"""

from __future__ import annotations

NAUGHTY: tuple[str, ...] = (
    # Nothing, or what looks like it
    *("", " ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff"),
    *("\u2060", "null", "NULL", "None", "nil", "undefined", "NaN"),
    *("true", "FALSE", "N/A", "#N/A", "#REF!", "#DIV/0!", "-", "--", "?"),
    # Numbers of all kinds that are no phone numbers, or just about
    *("0", "-0", "1", "-1", "1.0", "1e5", "1E+308", "0x1F", "1/0"),
    *("٣", "١٢٣٤٥", "½", "²", "₁", "Ⅻ", "1,000", "1 000", "9" * 400),
    *("2.12556E+09", "+", "++12125550123", "+1+2125550123", "00"),
    *("000", "(((", "212-555-01 23 ext.", "tel:+12125550123"),
    *("2125550123;2125550124", "2125550123/4", "+12125550123\x00", "２１２５５５０１２３"),
    *("-2125550123", "−2125550123"),
    # Formulas and commands, for whoever opens a report in a spreadsheet or pipes it into a shell
    *("=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+1-1", "$(touch x)"),
    *("`id`", "; ls", "| cat", "&& true", "-rf", "--help"),
    # Other languages than ours: SQL, HTML, XML, templates, formats, paths
    *("'; DROP TABLE numbers;--", "' OR 1=1 --", '"', '""', "'"),
    *("\\", "\\'", "%s", "%n", "{0}", "{{7*7}}", "${7*7}"),
    *("<script>alert(1)</script>", "<!--", "]]>", "<![CDATA["),
    *("&amp;", "&#0;", "<?xml?>", "../../etc/passwd", "..", "."),
    *("C:\\CON", "nul", "a/b", "file:///etc/passwd", "~", "*", "members*.csv", "[a-z]", "\\x00"),
    # Delimiters and quotes where they hurt
    *(",", ";", ";;;;", ",,,,", "|", '"a', 'a"b', '"a""', "a\nb"),
    *("a\r\nb", "\r", "\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"),
    # Control characters and terminals
    *("\x00", "\x01", "\x07", "\x1b[2J", "\x1b]0;x\x07", "\x7f", "\x9b31m", "\x1a"),
    # Scripts, directions, widths, combinations, and what cannot stand alone
    *("Ω≈ç√∫˜µ≤≥÷", "田中さん", "사회과학원", "ﺕﻡ", "שלום", "\u202eevitcerid"),
    *("\u2066x\u2069", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮", "e\u0301", "ﬁ", "ß", "İ"),
    *("🏳️‍🌈", "👩‍👩‍👧‍👦", "🇺🇸", "\U0001f44d\U0001f3fd"),
    *("\U0010ffff", "\ufffe", "\ufffd", "\ue000", "a\u0300" * 80),
    # Long ones
    *("x" * 75, "x" * 76, "x" * 10_000, "é" * 38, "🙂" * 76),
)  # fmt: skip
"""Without lone surrogates: those are no text, and are tried as bytes."""
