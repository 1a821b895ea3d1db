"""Who is at work: a person behind a request, or a command. What is recorded and logged says so."""

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass
class Actor:
    """One for each request: the middleware makes it, and whoever finds out who that is fills it in."""

    name: str = "system"  # an e-mail address, "anonymous", or "oppman of LOGIN"
    user_id: UUID | None = None
    ip_address: str | None = None
    user_agent: str | None = None


actor: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 # nobody fills the default in
