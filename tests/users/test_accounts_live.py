"""Accounts on the service as it runs: what it prints, logs and stores."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from door import free_port, oppman
from httpx import Client
from serving import serving

CANARY = "canary passphrase 4711"
JSON = {"Content-Type": "application/json"}


def test_from_the_first_start_to_a_new_password_no_secret_is_shown(checkout: Path) -> None:
    """The link for the first superuser is printed; passwords are in no log, answer, audit row or database."""
    port = free_port()
    output = checkout.parent / "output"
    answers = []
    with serving(checkout, "start", port, DEBUG="true", LOG_LEVEL="debug"):
        origin = f"http://127.0.0.1:{port}"
        [token] = re.findall(r"/first-superuser\?token=(\S+)", output.read_text())
        with Client(base_url=origin, timeout=30, headers={"Accept": "text/html", "Origin": origin}) as browser:
            boss = {"email": "boss@example.com", "password": CANARY}
            answers += [
                browser.get("/first-superuser", params={"token": token}),
                browser.post("/first-superuser", data={"token": token, **boss}),
                browser.post("/login", data={**boss, "password": f"wrong {CANARY}"}),
                browser.post("/login", data=boss),
                browser.post("/account/password", data={"current_password": CANARY, "new_password": f"new {CANARY}"}),
                browser.post("/api/auth/register", json={"email": CANARY, "password": CANARY}),
                browser.post("/api/auth/register", content=f'{{"password": "{CANARY}"', headers=JSON),
                browser.post("/api/auth/token", data={"username": "boss@example.com", "password": [CANARY, CANARY]}),
                browser.get("/api/audit-logs"),
            ]  # fmt: skip
        assert [answer.status_code for answer in answers] == [200, 303, 422, 303, 303, 422, 422, 401, 200]
    log = output.read_text()
    assert log.count(token) == 1, "where it was printed, and in no access log"
    assert "/first-superuser" in log
    assert CANARY not in log
    assert not any(CANARY in answer.text for answer in answers)
    assert CANARY.encode() not in (checkout / "app.db").read_bytes()
    with closing(sqlite3.connect(checkout / "app.db")) as connection:
        changes = [json.loads(row[0]) for row in connection.execute("SELECT changes FROM audit_logs")]
    secrets = [each[name] for each in changes for name in each if name in ("hashed_password", "token_hash")]
    assert secrets
    assert all(value in (None, "••••••••") for pair in secrets for value in pair)


def test_an_account_that_a_command_makes_can_log_in(checkout: Path) -> None:
    port = free_port()
    with serving(checkout, "start", port):
        made = oppman(checkout, "users", "create-superuser", "boss@example.com", typed=f"{CANARY}\n")
        assert made.returncode == 0, made.stderr
        form = {"username": "boss@example.com", "password": CANARY}
        with Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            token = client.post("/api/auth/token", data=form).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            assert client.get("/api/me", headers=headers).json()["is_superuser"] is True
            [row] = client.get(
                "/api/audit-logs", params={"model_name": "User", "action": "create"}, headers=headers
            ).json()["items"]
            assert row["actor"].startswith("oppman of ")
            assert oppman(checkout, "users", "create-superuser", "b@example.com", typed=f"{CANARY}\n").returncode == 0
            assert oppman(checkout, "users", "deactivate", "boss@example.com").returncode == 0
            assert client.get("/api/me", headers=headers).status_code == 401
