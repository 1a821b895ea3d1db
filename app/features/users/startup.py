"""What happens when the service starts."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from app.features.users import service
from app.settings import Settings

logger = logging.getLogger(__name__)


async def on_start(database: Database, settings: Settings) -> None:
    """While nobody may do everything: say how somebody can, for hosts without a shell."""
    try:
        async with database.transaction(read_only=True) as session:
            token = await service.first_superuser_link(session, settings)
    except (DatabaseUnavailable, SQLAlchemyError):
        return  # away, or not migrated yet: /health/ready tells
    if token:
        link = f"{settings.base_url}/first-superuser?token={token}"
        logger.warning("there is no superuser: open %s within a day, or run oppman.py users create-superuser", link)
