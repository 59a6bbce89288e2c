"""The benchmark of FTP, small: whatever it measures ends in the lists that it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.ftp import run
from tests.bench.ftp.run import Extent
from tests.bench.ftp.throughput import Size

SMALL = Extent(
    Size(large_bytes=2**21, small_bytes=1_500, files=5, clients=4, files_each=2),
    rows=2_000,
    customers=2,
    files_each=3,
    single_files=2,
    commands=1,
    heavy_loads=6,
)


@pytest.mark.timeout(300)
def test_everything_is_measured_and_every_list_is_right(tmp_path: Path) -> None:
    figures = run.measure(tmp_path, SMALL, runs=1)
    assert all(figure.median > 0 for figure in figures)
    ways = {"one large file", "5 × 1 kB on one connection", "4 clients, 2 × 1 kB each"}
    for server in ("alp-daemon", "alp-daemon, worker busy"):
        assert ways <= {figure.what for figure in figures if figure.server == server}
