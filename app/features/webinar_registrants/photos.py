"""The photo of a registrant: a file that its row names."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, UploadFile

from app.db.session import Database
from app.errors import NotFound
from app.features.users.models import User
from app.features.webinar_registrants import service
from app.features.webinar_registrants.models import WebinarRegistrant
from app.http import images
from app.storage import Storage

FOLDER = "webinar_registrants"


class NoPhoto(NotFound):
    """This registrant has none."""


@dataclass(frozen=True)
class Photos:
    """No transaction is open while a picture is made or a file is carried."""

    database: Database
    storage: Storage

    async def owner(self, user: User, registrant_id: UUID) -> WebinarRegistrant:
        """Errors: RegistrantNotFound."""
        async with self.database.transaction(read_only=True) as session:
            return await service.get(session, user, registrant_id)

    async def replace(self, user: User, registrant_id: UUID, photo: UploadFile) -> WebinarRegistrant:
        """Errors: RegistrantNotFound, NotAnImage, StorageUnavailable."""
        await self.owner(user, registrant_id)
        small = await images.remade(await photo.read())
        name = await self.storage.put(FOLDER, small, images.SUFFIX)
        async with self.database.transaction() as session:
            registrant = await service.get(session, user, registrant_id, lock=True)
            registrant.photo_url = name
        await self.storage.discard_unused(session)
        return registrant

    async def read(self, user: User, registrant_id: UUID) -> bytes:
        """Errors: RegistrantNotFound, NoPhoto, StorageUnavailable."""
        registrant = await self.owner(user, registrant_id)
        content = await self.storage.get(registrant.photo_url) if registrant.photo_url else None
        if content is None:
            raise NoPhoto("There is no photo.")
        return content

    async def remove(self, user: User, registrant_id: UUID) -> WebinarRegistrant:
        """Errors: RegistrantNotFound."""
        async with self.database.transaction() as session:
            registrant = await service.get(session, user, registrant_id, lock=True)
            registrant.photo_url = None
        await self.storage.discard_unused(session)
        return registrant


def _photos(request: Request) -> Photos:
    return Photos(request.app.state.database, request.app.state.storage)


CurrentPhotos = Annotated[Photos, Depends(_photos)]
