"""The service with one route that writes, for tests that kill it."""

from uuid import UUID

from sqlalchemy import text

from app.db.base import utc_now
from app.features.products.models import Product
from app.http.dependencies import Session
from app.main import app


@app.post("/written/{product_id}", status_code=201)
async def write(session: Session, product_id: UUID) -> None:
    session.add(Product(id=product_id, name="kept", price_cents=1, created_at=utc_now()))
    await session.execute(text("SELECT 1"))
