"""oppman.py users, from the outside."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from door import oppman
from typer.testing import CliRunner

from app.errors import UserError
from app.features.users.commands import app
from app.settings import Settings

PASSWORD = "correct horse battery staple"


@pytest.fixture
def users(checkout: Path, own_settings: Settings) -> Callable[..., subprocess.CompletedProcess[str]]:
    url = own_settings.database_url.get_secret_value()
    return partial(oppman, checkout, "users", DATABASE_URL=url)


@pytest.mark.slow
def test_an_account_by_the_command_line(users: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    made = users("create-superuser", "Ada@example.com", typed=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    assert users("list").stdout == "ada@example.com\tactive\tstaff, superuser\n"

    again = users("create-superuser", "ada@example.com", typed=f"{PASSWORD}\n")
    assert (again.returncode, again.stderr) == (1, "oppman: There is a user ada@example.com already.\n")
    alone = users("deactivate", "ada@example.com")
    assert (alone.returncode, alone.stderr) == (1, "oppman: This is the last superuser: make another one first.\n")

    assert users("create-superuser", "bob@example.com", typed=f"{PASSWORD}\n").returncode == 0
    assert users("roles", "bob@example.com", "--no-superuser", "--group", "sales").returncode == 0
    assert users("deactivate", "bob@example.com").returncode == 0
    assert "bob@example.com\tdeactivated\t-\n" in users("list").stdout
    assert users("activate", "bob@example.com").stdout == "bob@example.com: active, sales, staff\n"
    assert users("set-password", "bob@example.com", typed="another passphrase\n").returncode == 0


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize(
    ("arguments", "typed", "line"),
    [
        (["create-superuser", "ada"], "", "ada is not an e-mail address, for example ada@example.com"),
        (["create-superuser", "a@example.com"], "short\n", "a password has 12 to 256 characters; a few words will do"),
        (["create-superuser", "a@example.com"], "", "a password has 12 to 256 characters; a few words will do"),
        (["deactivate", "nobody@example.com"], "", "There is no user nobody@example.com."),
        (["roles", "a@example.com", "--group", "x"], "", "there is no group 'x': marketing, sales, support, or none"),
    ],
)
def test_a_mistake_is_one_line(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch, arguments: list[str], typed: str, line: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", own_settings.database_url.get_secret_value())
    result = CliRunner().invoke(app, arguments, input=typed)
    assert isinstance(result.exception, UserError)
    assert (str(result.exception), result.output) == (line, "")
