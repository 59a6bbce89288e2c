"""Python imports this first in every process that the tests start: what it writes to stderr is kept for them too.

Each process writes a file of its own, at once, so that one that is killed has told all the same.
"""

import os
import sys


class Overheard:
    """A stream whose text also goes to a file."""

    def __init__(self, stream, folder):
        self._stream = stream
        self._path = folder + "/heard-%d"

    def write(self, text):
        file = os.open(self._path % os.getpid(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            os.write(file, text.encode("utf-8", "replace"))
        finally:
            os.close(file)
        return self._stream.write(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)


if os.environ.get("ALP_TESTS_HEAR") and sys.stderr is not None:
    sys.stderr = Overheard(sys.stderr, os.environ["ALP_TESTS_HEAR"])
