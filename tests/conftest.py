"""What every test may use. Fixtures of one area stand in that area's folder."""

from __future__ import annotations

import os

from hypothesis import settings

# `HYPOTHESIS_PROFILE=thorough` searches longer than a commit can wait for.
settings.register_profile("default", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
