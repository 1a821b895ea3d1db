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
    version: Mapped[int] = mapped_column(server_default="1")

    # Counts by itself, and every UPDATE and DELETE names it: who writes on top of a change unseen changes nothing.
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy reads it once)

    @property
    def price(self) -> str:
        """For people: "12.90"."""
        return f"{self.price_cents // 100}.{self.price_cents % 100:02}"
