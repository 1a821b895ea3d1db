from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StrictBool, StringConstraints

from app.features.users.roles import Role
from app.http.fields import Email, PlainText


def _storable(password: SecretStr) -> SecretStr:
    """As text: argon2 takes bytes, and half a character has none."""
    try:
        password.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain half a character") from None
    return password


# Given is what somebody types to get in, Chosen what they may choose: length is what counts, NIST SP 800-63B.
GivenPassword = Annotated[SecretStr, Field(max_length=256), AfterValidator(_storable)]
ChosenPassword = Annotated[SecretStr, Field(min_length=12, max_length=256), AfterValidator(_storable)]

Group = Literal[Role.MARKETING, Role.SALES, Role.SUPPORT]


class Registration(BaseModel):
    email: Email
    password: ChosenPassword


class Login(BaseModel):
    email: Annotated[PlainText, StringConstraints(max_length=254, to_lower=True, strip_whitespace=True)]
    password: GivenPassword


class ResetRequest(BaseModel):
    email: Email


class Reset(BaseModel):
    token: Annotated[PlainText, Field(max_length=300)]
    password: ChosenPassword


class Verification(BaseModel):
    token: Annotated[PlainText, Field(max_length=300)]


class FirstSuperuser(Registration):
    token: Annotated[PlainText, Field(max_length=300)]


class PasswordChange(BaseModel):
    current_password: GivenPassword
    new_password: ChosenPassword


class Deactivation(BaseModel):
    password: GivenPassword


class UserUpdate(BaseModel):
    """What is left out stays as it is: the defaults are never used."""

    is_active: StrictBool = True
    is_staff: StrictBool = False
    is_superuser: StrictBool = False
    group: Group | None = None


class UserRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    is_active: bool
    is_staff: bool
    is_superuser: bool
    is_verified: bool
    group: str | None
    created_at: datetime


class SessionRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    expires_at: datetime
    ip_address: str | None
    user_agent: str | None


class Token(BaseModel):
    """RFC 6749, 5.1."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int  # seconds


class Accepted(BaseModel):
    """The same whether or not there is such an account."""

    message: str
