"""A table of the tests' own, which no migration and no feature knows."""

from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.base import NAMING_CONVENTION, Timestamps
from app.db.types import BoundedString


class TestsBase(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Thing(Timestamps, TestsBase):
    __tablename__ = "things"
    __table_args__ = (CheckConstraint("number >= 0", name="number_is_not_negative"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(BoundedString(200))
    number: Mapped[int] = mapped_column(default=0)


async def make_table(session: AsyncSession) -> None:
    connection = await session.connection()
    await connection.run_sync(TestsBase.metadata.create_all)
