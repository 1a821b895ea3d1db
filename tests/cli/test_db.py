"""oppman.py db: a PostgreSQL of one's own, and what is said of the configured database."""

import json
import shutil
import socket
import tempfile
from pathlib import Path

import pytest
from door import UNREACHABLE, free_port, invoke

from app.db import local_postgres
from app.db.local_postgres import LocalPostgres
from app.settings import Settings


def test_the_local_postgresql_keeps_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(tempfile.mkdtemp())  # and not tmp_path, which root closes to the server's user
    monkeypatch.setattr(local_postgres, "default_folder", lambda: folder)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    server = LocalPostgres(folder)

    def db(*arguments: str) -> str:
        result = invoke("db", *arguments)
        assert result.exit_code == 0, result.exception
        return result.output.strip()

    try:
        port = str(free_port())
        started = db("start", "--port", port)
        url = db("url")
        assert f"DATABASE_URL={url}" in started
        assert f":{port}/" in url
        server.run_sql("CREATE TABLE kept (id int)")
        db("stop")
        assert "db start" in str(invoke("db", "shell").exception)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = str(other.getsockname()[1])
            assert "taken" in str(invoke("db", "start", "--port", taken).exception)
        assert db("url") == url
        db("start")
        db("start")
        assert db("url") == url
        assert server.run_sql("SELECT count(*) FROM kept") == "0"
        assert "stop it first" in str(invoke("db", "start", "--port", str(free_port())).exception)
        monkeypatch.setenv("DATABASE_URL", url)
        assert "migrate upgrade" in invoke("db", "check").output
    finally:
        if server.is_running():
            server.stop("immediate")
        shutil.rmtree(folder)


def test_a_database_folder_that_initdb_left_half_made_is_made_anew() -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / "data.new").mkdir()
    (folder / "data.new/PG_VERSION").write_text("15")
    server = LocalPostgres(folder)
    try:
        server.start(free_port())
        assert server.run_sql("SELECT 1") == "1"
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)


@pytest.mark.parametrize(("wrong", "word"), [("", "empty"), ("mysql://u:canary@h/d", "postgresql://")])
def test_the_check_speaks_of_a_url_that_is_nonsense(monkeypatch: pytest.MonkeyPatch, wrong: str, word: str) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATABASE_URL", wrong)
    result = invoke("db", "check")
    assert result.exit_code == 1
    assert word in result.output
    assert "canary" not in result.output


def test_the_check_is_for_machines_too(monkeypatch: pytest.MonkeyPatch, own_settings: Settings) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATABASE_URL", own_settings.database_url.get_secret_value())
    result = invoke("db", "check", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.output)["service"]}
    assert result.exit_code == 0
    assert {"url", "driver", "connects", "latency", "server", "schema"} <= findings.keys()
    assert not any(finding["advice"] for finding in findings.values())


def test_the_check_works_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATABASE_URL", UNREACHABLE)
    result = invoke("db", "check")
    assert result.exit_code == 1
    assert "nothing answers" in result.output
    assert "canary_password" not in result.output
