"""A server that speaks S3: made on the spot, gone afterwards."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx


@contextmanager
def s3_server() -> Iterator[str]:
    """The STORAGE_URL of a new bucket, with a prefix."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stderr)
            endpoint = next(match[0] for match in found if match)
            bucket = f"test-{uuid4().hex[:8]}"
            httpx.put(f"{endpoint}/{bucket}").raise_for_status()
            yield f"s3://key:secret%2F@{bucket}/some/prefix?endpoint={endpoint}&region=us-east-1"
        finally:
            server.terminate()
