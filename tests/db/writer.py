"""The service with one route that writes, for tests that kill it."""

from uuid import UUID

from sqlalchemy import text
from things import Thing

from app.db.base import utc_now
from app.http.dependencies import Session
from app.main import app


@app.post("/written/{thing_id}", status_code=201)
async def write(session: Session, thing_id: UUID) -> None:
    session.add(Thing(id=thing_id, name="kept", created_at=utc_now()))
    await session.execute(text("SELECT 1"))
