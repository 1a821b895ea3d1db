"""A registrant for tests."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.features.webinar_registrants.models import WebinarRegistrant

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
API = "/api/webinar-registrants"


async def registrant(session: AsyncSession, name: str = "Ada", **fields: object) -> WebinarRegistrant:
    made = WebinarRegistrant(
        **{"name": name, "email": f"{name}@example.com".lower(), "webinar_title": "T", "webinar_date": NOON, **fields}
    )
    session.add(made)
    await session.flush()
    return made
