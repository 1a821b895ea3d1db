"""What the functions about accounts work with, instead of one session: they hash between two transactions."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Request

from app.db.session import Database
from app.http.throttle import CurrentThrottle, Throttle
from app.settings import Settings


@dataclass(frozen=True)
class Resources:
    database: Database
    settings: Settings
    throttle: Throttle
    later: BackgroundTasks  # done when the answer has left: letters


async def _resources(request: Request, throttle: CurrentThrottle, later: BackgroundTasks) -> Resources:
    state = request.app.state
    return Resources(state.database, state.settings, throttle, later)


CurrentResources = Annotated[Resources, Depends(_resources)]
