"""Who may what: the only place that decides. Routes and admin pages say whom they want; this says who that is."""

from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    MARKETING = "marketing"
    SALES = "sales"
    SUPPORT = "support"
    STAFF = "staff"
    SUPERUSER = "superuser"


# What users.group may hold: of what department somebody is. Staff and superusers are flags of their own.
GROUPS = (Role.MARKETING, Role.SALES, Role.SUPPORT)


class Account(Protocol):
    """What a decision looks at."""

    is_active: bool
    is_staff: bool
    is_superuser: bool
    group: str | None


def roles_of(user: Account) -> frozenset[Role]:
    if not user.is_active:
        return frozenset()
    flags = {Role.STAFF: user.is_staff, Role.SUPERUSER: user.is_superuser}
    held = {role for role, holds in flags.items() if holds}
    return frozenset(held | {role for role in GROUPS if role == user.group})


def may(user: Account | None, *wanted: Role) -> bool:
    """Whether somebody holds one of the roles. A superuser may do everything, and nobody nothing."""
    return user is not None and bool(roles_of(user) & {*wanted, Role.SUPERUSER})
