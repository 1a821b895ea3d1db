from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from app.features.users.dependencies import Role
from app.features.webinar_registrants.models import Status
from app.http.fields import Email, PlainText
from app.http.pagination import PageQuery

Name = Annotated[PlainText, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=200)]
Group = Literal[Role.MARKETING, Role.SALES, Role.SUPPORT]


class WebinarRead(BaseModel):
    id: UUID
    title: str
    starts_at: datetime
    attendees: list[str]  # the names of those who agreed and are confirmed


class Registration(BaseModel):
    webinar_id: UUID
    name: Name
    email: Email
    company: Name | None = None
    is_public: bool = False


class Registered(BaseModel):
    """The same whether or not this address was registered before: nobody learns who is."""

    message: str = "You are registered. We look forward to seeing you."


class RegistrantQuery(PageQuery):
    """q: a part of the name or of the e-mail address."""

    webinar_title: Annotated[PlainText, Field(max_length=200)] | None = None
    status: Status | None = None
    q: Annotated[PlainText, Field(max_length=200)] | None = None

    @field_validator("webinar_title", "status", "q", mode="before")
    @classmethod
    def _may_be_empty(cls, value: object) -> object:
        """A browser sends what is left empty."""
        return value or None


class RegistrantEdit(BaseModel):
    """What is left out stays as it is: the defaults are never used. seen_at is the updated_at that was read."""

    seen_at: AwareDatetime | None = None
    status: Status = Status.REGISTERED
    notes: Annotated[PlainText, Field(max_length=10_000)] | None = None


class RegistrantUpdate(RegistrantEdit):
    """With what staff alone may change."""

    group: Group | None = None
    assigned_sales_rep: Annotated[PlainText, Field(max_length=200)] | None = None


class RegistrantRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    company: str | None
    webinar_title: str
    webinar_date: datetime
    registration_date: datetime
    status: str
    assigned_sales_rep: str | None
    group: str | None
    is_public: bool
    notes: str | None
    photo_url: str | None = Field(validation_alias="photo_path")
    created_at: datetime
    updated_at: datetime
