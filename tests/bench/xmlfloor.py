"""The floor of a BulkUpload: a fresh process that parses the XML and does nothing with it."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.parsers import expat

parser = expat.ParserCreate(namespace_separator=" ")
parser.buffer_text = True
parser.CharacterDataHandler = len
with Path(sys.argv[1]).open("rb") as stream:
    parser.ParseFile(stream)
