"""oppman.py users, in this process; test_accounts_live.py has it in one of its own."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from app.errors import UserError
from app.features.users.commands import app

PASSWORD = "correct horse battery staple"


@pytest.fixture
def users(own_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("DATABASE_URL", own_url)
    return lambda *arguments, typed="": CliRunner().invoke(app, arguments, input=typed)


def test_an_account_by_the_command_line(users: Callable[..., Result]) -> None:
    made = users("create-superuser", "Ada@example.com", typed=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.exception
    assert users("list").output == "ada@example.com\tactive\tstaff, superuser\n"

    again = users("create-superuser", "ada@example.com", typed=f"{PASSWORD}\n")
    assert str(again.exception) == "There is a user ada@example.com already."
    alone = users("deactivate", "ada@example.com")
    assert str(alone.exception) == "This is the last superuser: make another one first."

    assert users("create-superuser", "bob@example.com", typed=f"{PASSWORD}\n").exit_code == 0
    assert users("roles", "bob@example.com", "--no-superuser", "--group", "sales").exit_code == 0
    assert users("deactivate", "bob@example.com").exit_code == 0
    assert "bob@example.com\tdeactivated\t-\n" in users("list").output
    assert users("activate", "bob@example.com").output == "bob@example.com: active, sales, staff\n"
    assert users("set-password", "bob@example.com", typed="another passphrase\n").exit_code == 0


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
def test_a_mistake_is_one_line(users: Callable[..., Result], arguments: list[str], typed: str, line: str) -> None:
    result = users(*arguments, typed=typed)
    assert isinstance(result.exception, UserError)
    assert (str(result.exception), result.output) == (line, "")
