"""What everybody may see and do: which webinars are ahead, and register for one."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import utc_now
from app.db.session import Database
from app.errors import NotFound
from app.features.webinar_registrants.models import Status, Webinar, WebinarRegistrant
from app.features.webinar_registrants.schemas import Registration, WebinarRead
from app.http.throttle import Throttle

MAX_WEBINARS = 50
MAX_NAMES = 500


class NotAhead(NotFound):
    """There is no such webinar, or it has begun."""


async def ahead(session: AsyncSession) -> list[WebinarRead]:
    """The next one first."""
    coming = select(Webinar).where(Webinar.starts_at > utc_now()).order_by(Webinar.starts_at, Webinar.title)
    webinars = list(await session.scalars(coming.limit(MAX_WEBINARS)))
    names = await _public_names(session)
    return [
        WebinarRead(id=each.id, title=each.title, starts_at=each.starts_at, attendees=names[each.title, each.starts_at])
        for each in webinars
    ]


async def _public_names(session: AsyncSession) -> dict[tuple[str, datetime], list[str]]:
    # Confirmed: somebody of ours has read what a stranger wants to see on our page.
    row = WebinarRegistrant
    agreed = select(row.webinar_title, row.webinar_date, row.name).where(
        row.is_public, row.status == Status.CONFIRMED, row.webinar_date > utc_now()
    )
    names = defaultdict(list)
    for title, date, name in await session.execute(agreed.order_by(row.name).limit(MAX_NAMES)):
        names[title, date].append(name)
    return names


async def register(database: Database, throttle: Throttle, wanted: Registration) -> None:
    """Errors: NotAhead, TooManyRequests. None for an address that is registered already, of which nothing changes."""
    await throttle.attempt("webinar", wanted.email)  # anybody may write a row here
    async with database.transaction() as session:
        await _add(session, wanted)


async def _add(session: AsyncSession, wanted: Registration) -> None:
    webinar = await session.get(Webinar, wanted.webinar_id)
    if webinar is None or webinar.starts_at <= utc_now():
        raise NotAhead("Choose a webinar that is still ahead.")
    fields = wanted.model_dump(exclude={"webinar_id"})
    registrant = WebinarRegistrant(**fields, webinar_title=webinar.title, webinar_date=webinar.starts_at)
    try:
        async with session.begin_nested():
            session.add(registrant)
    except IntegrityError:
        pass  # registered before: a stranger must not learn that
