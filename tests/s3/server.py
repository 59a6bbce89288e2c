"""A server of the S3 protocol in a process of its own, and what its client sees in a bucket."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3


class Server:
    """Answers at ``url`` on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.client = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="key"
        )

    def make_bucket(self, name: str) -> Any:
        self.client.create_bucket(Bucket=name)
        return boto3.resource(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="key"
        ).Bucket(name)


@contextmanager
def serving() -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.s3.moto_quietly"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()))
        finally:
            process.terminate()
