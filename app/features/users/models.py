from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Timestamps
from app.db.types import BoundedString


class User(Timestamps, Base):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(BoundedString(320), unique=True)
    hashed_password: Mapped[str] = mapped_column(BoundedString(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_staff: Mapped[bool] = mapped_column(default=False)
    is_superuser: Mapped[bool] = mapped_column(default=False)
    group: Mapped[str | None] = mapped_column(BoundedString(50))
