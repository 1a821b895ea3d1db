from sqlalchemy import BigInteger, CheckConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Timestamps
from app.db.types import BoundedString


class Product(Timestamps, Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="price_is_not_negative"),
        Index("ix_products_created_at_id", "created_at", "id"),  # the order of the list
    )

    name: Mapped[str] = mapped_column(BoundedString(200))
    description: Mapped[str | None] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(BigInteger)
    category: Mapped[str | None] = mapped_column(BoundedString(100), index=True)
    in_stock: Mapped[bool] = mapped_column(default=True)
