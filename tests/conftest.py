"""What every test may use. Fixtures of one area stand in that area's folder."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import databases
from tests.privacy.ears import (  # noqa: F401  pytest finds them here
    nothing_is_given_away,
    nothing_is_given_away_in_what_outlives_a_test,
    pytest_runtest_logreport,
)

# `HYPOTHESIS_PROFILE=thorough` searches longer than a commit can wait for.
settings.register_profile("default", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Processes in the background of a script are deaf to ^C, and so are those that they start: tests interrupt them.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=databases.IS_POSTGRES)
def no_database_outlives_its_test() -> Iterator[None]:
    yield
    databases.forget()
