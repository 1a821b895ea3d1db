"""schemathesis on the whole API of the running service: what its schema promises, to anybody and to a superuser."""

import subprocess
import sys
from pathlib import Path

import pytest
from databases import Databases
from door import free_port, oppman
from httpx import post
from serving import serving

EXAMPLES = 20  # for each operation and phase
PASSWORD = "correct horse battery staple"

# They end the session that asks: half of the run would see nothing but 401. Anonymously they are tried too.
SUICIDAL = r"^/api/(auth/token|me/sessions.*|me/deactivate)$"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "who"), [("sqlite", "anybody"), ("postgresql", "superuser")], indirect=["backend"], scope="session"
)
def test_the_api_keeps_what_its_schema_promises(checkout: Path, empty_url: str, databases: Databases, who: str) -> None:
    pytest.importorskip("schemathesis")
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    options = ["--checks=all", f"--max-examples={EXAMPLES}", "--seed=1", "--generation-database=none", "--workers=1"]
    assert oppman(checkout, "migrate", "upgrade", DATABASE_URL=empty_url).returncode == 0
    with serving(checkout, "runserver", port, DATABASE_URL=empty_url):
        if who == "superuser":
            made = oppman(
                checkout, "users", "create-superuser", "a@example.com", typed=f"{PASSWORD}\n", DATABASE_URL=empty_url
            )
            assert made.returncode == 0, made.stderr
            form = {"username": "a@example.com", "password": PASSWORD}
            token = post(f"{origin}/api/auth/token", data=form, timeout=30).json()["access_token"]
            options += [f"--header=Authorization: Bearer {token}", f"--exclude-path-regex={SUICIDAL}"]
        program = Path(sys.executable).with_name("schemathesis")
        result = subprocess.run(
            [program, "run", f"{origin}/openapi.json", *options], cwd=checkout.parent,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert result.returncode == 0, result.stdout[-20000:]
    log = (checkout.parent / "output").read_text()
    assert "unhandled error" not in log
