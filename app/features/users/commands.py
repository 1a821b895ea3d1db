"""oppman.py users"""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import select

from app.db.session import Database
from app.errors import Problem, UserError
from app.features.users import service
from app.features.users.models import User
from app.features.users.roles import GROUPS, roles_of
from app.features.users.schemas import ChosenPassword, UserUpdate
from app.http.fields import Email
from app.observe.context import Actor, actor
from app.settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Accounts: list them, make and change them.")

Result = TypeVar("Result")
EmailArgument = Annotated[str, typer.Argument(help="The e-mail address.", show_default=False)]


class _Email(BaseModel):
    email: Email


class _Password(BaseModel):
    password: ChosenPassword


@app.command("create-superuser", epilog="Example: python3 oppman.py users create-superuser ada@example.com")
def create_superuser(email: EmailArgument) -> None:
    """Make an account that may do everything. Asks for the password; or give it on standard input."""
    address, password = _email(email), _new_password()
    flags = {"is_staff": True, "is_superuser": True, "is_verified": True}
    _run(lambda database: service.create(database, address, password.get_secret_value(), **flags))
    print(f"{address} is a superuser; log in at /login")


@app.command("list", epilog="Example: python3 oppman.py users list")
def list_users() -> None:
    """Show the accounts: address, roles, and whether they are active."""

    async def work(database: Database) -> list[User]:
        async with database.transaction(read_only=True) as session:
            return list(await session.scalars(select(User).order_by(User.email)))

    for user in _run(work):
        roles = ", ".join(sorted(roles_of(user))) or "-"
        print(f"{user.email}\t{'active' if user.is_active else 'deactivated'}\t{roles}")


@app.command("set-password", epilog="Example: python3 oppman.py users set-password ada@example.com")
def set_password(email: EmailArgument) -> None:
    """Give somebody a new password. Every session of theirs ends."""
    address, password = _email(email), _new_password()

    async def work(database: Database) -> None:
        async with database.transaction(read_only=True) as session:
            user = await service.find(session, address)
        await service.set_password(database, user.id, password)

    _run(work)
    print(f"{address} has a new password, and is logged out everywhere")


@app.command(epilog="Example: python3 oppman.py users deactivate ada@example.com")
def deactivate(email: EmailArgument) -> None:
    """Shut somebody out, at once. Nothing of theirs is deleted."""
    _change(email, UserUpdate(is_active=False))


@app.command(epilog="Example: python3 oppman.py users activate ada@example.com")
def activate(email: EmailArgument) -> None:
    """Let somebody in again."""
    _change(email, UserUpdate(is_active=True))


@app.command(epilog="Example: python3 oppman.py users roles ada@example.com --staff --group sales")
def roles(
    email: EmailArgument,
    staff: Annotated[bool | None, typer.Option("--staff/--no-staff")] = None,
    superuser: Annotated[bool | None, typer.Option("--superuser/--no-superuser")] = None,
    group: Annotated[str | None, typer.Option(help=f"{', '.join(GROUPS)}; or none.")] = None,
) -> None:
    """Say what somebody may do. What is left out stays as it is."""
    wanted: dict[str, object] = {}
    if staff is not None:
        wanted["is_staff"] = staff
    if superuser is not None:
        wanted["is_superuser"] = superuser
    if group is not None:
        wanted["group"] = None if group == "none" else group
    try:
        _change(email, UserUpdate.model_validate(wanted))
    except ValidationError:
        raise UserError(f"there is no group {group!r}: {', '.join(GROUPS)}, or none") from None


def _change(email: str, wanted: UserUpdate) -> None:
    address = _email(email)

    async def work(database: Database) -> User:
        async with database.transaction() as session:
            return await service.update(session, await service.find(session, address), wanted)

    user = _run(work)
    print(
        f"{address}: {'active' if user.is_active else 'deactivated'}, {', '.join(sorted(roles_of(user))) or 'no role'}"
    )


def _run(work: Callable[[Database], Awaitable[Result]]) -> Result:
    """In the name of whoever sits at the keyboard.

    Errors: UserError for what the service refuses.
    """
    actor.set(Actor(f"oppman of {getpass.getuser()}"))

    async def with_database() -> Result:
        database = Database.open(load_settings())
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(with_database())
    except Problem as error:
        raise UserError(str(error)) from error


def _email(text: str) -> str:
    try:
        return _Email(email=text).email
    except ValidationError:
        raise UserError(f"{text} is not an e-mail address, for example ada@example.com") from None


def _new_password() -> SecretStr:
    """Never an argument: those are seen in the list of processes and kept in the shell's history."""
    if sys.stdin.isatty():
        text = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        text = sys.stdin.readline().rstrip("\n")
    try:
        return _Password(password=text).password
    except ValidationError:
        raise UserError("a password has 12 to 256 characters; a few words will do") from None
