"""Who may see and change which registrant, and what they do with it."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict, Forbidden, NotFound
from app.features.users.dependencies import Role, may
from app.features.users.models import User
from app.features.webinar_registrants.models import WebinarRegistrant
from app.features.webinar_registrants.schemas import RegistrantEdit, RegistrantQuery
from app.http.pagination import newest_first

GROUPS = (Role.MARKETING, Role.SALES, Role.SUPPORT)

# Superusers besides, always.
READERS = (Role.STAFF, *GROUPS)
EDITORS = (Role.STAFF, Role.MARKETING, Role.SALES)
PHOTOGRAPHERS = (Role.STAFF, Role.MARKETING)


class RegistrantNotFound(NotFound):
    """There is none of that id, or none that this person may see."""


class RegistrantChanged(Conflict):
    """It is not any more what the writer has seen."""


class OnlyForStaff(Forbidden):
    """To whom a registrant belongs is not for the groups to say."""


def visible_to(user: User) -> ColumnElement[bool]:
    """Of those who may read at all: staff see every row, a group's member those of the group and those of none."""
    if may(user, Role.STAFF):
        return true()
    return or_(WebinarRegistrant.group.is_(None), WebinarRegistrant.group == user.group)


async def get(session: AsyncSession, user: User, registrant_id: UUID, *, lock: bool = False) -> WebinarRegistrant:
    """Errors: RegistrantNotFound."""
    statement = select(WebinarRegistrant).where(WebinarRegistrant.id == registrant_id, visible_to(user))
    registrant = await session.scalar(statement.with_for_update() if lock else statement)
    if registrant is None:
        raise RegistrantNotFound("There is no such registrant.")
    return registrant


async def list_page(
    session: AsyncSession, user: User, query: RegistrantQuery
) -> tuple[list[WebinarRegistrant], str | None]:
    """The newest first, and the cursor of the next page: None on the last one."""
    row = WebinarRegistrant
    statement = select(row).where(visible_to(user))
    if query.webinar_title:
        statement = statement.where(row.webinar_title == query.webinar_title)
    if query.status:
        statement = statement.where(row.status == query.status)
    if query.q:
        statement = statement.where(
            or_(row.name.icontains(query.q, autoescape=True), row.email.icontains(query.q, autoescape=True))
        )
    return await newest_first(session, statement, row.created_at, row.id, query)


async def titles(session: AsyncSession, user: User) -> list[str]:
    """The webinars that a list may be narrowed to."""
    title = WebinarRegistrant.webinar_title
    return list(await session.scalars(select(title).where(visible_to(user)).distinct().order_by(title).limit(200)))


async def update(session: AsyncSession, user: User, registrant_id: UUID, wanted: RegistrantEdit) -> WebinarRegistrant:
    """Errors: RegistrantNotFound, OnlyForStaff; RegistrantChanged, where wanted says what was seen."""
    registrant = await get(session, user, registrant_id, lock=True)
    if wanted.seen_at not in (None, registrant.updated_at):
        raise RegistrantChanged("Somebody else changed this registrant meanwhile: look at it again.")
    for name in wanted.model_fields_set - {"seen_at"}:
        if name not in RegistrantEdit.model_fields and not may(user, Role.STAFF):
            raise OnlyForStaff("Only staff may say to whom a registrant belongs.")
        setattr(registrant, name, getattr(wanted, name))
    await session.flush()
    return registrant


async def delete(session: AsyncSession, user: User, registrant_id: UUID) -> None:
    """Errors: RegistrantNotFound."""
    await session.delete(await get(session, user, registrant_id, lock=True))
    await session.flush()
