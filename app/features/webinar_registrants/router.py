from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, UploadFile

from app.features.users.dependencies import Role, allowed
from app.features.users.models import User
from app.features.webinar_registrants import service, webinars
from app.features.webinar_registrants.photos import CurrentPhotos
from app.features.webinar_registrants.schemas import (
    Registered,
    RegistrantQuery,
    RegistrantRead,
    RegistrantUpdate,
    Registration,
    WebinarRead,
)
from app.http import images
from app.http.dependencies import CurrentDatabase, Session
from app.http.pagination import Page
from app.http.throttle import CurrentThrottle

router = APIRouter(prefix="/api", tags=["webinars"])

Reader = Annotated[User, allowed(*service.READERS)]
Editor = Annotated[User, allowed(*service.EDITORS)]
Photographer = Annotated[User, allowed(*service.PHOTOGRAPHERS)]
Staff = Annotated[User, allowed(Role.STAFF)]

PHOTO = "/webinar-registrants/{registrant_id}/photo"
UPLOADS = (f"/api{PHOTO}",)


@router.get("/webinars")
async def list_webinars(session: Session) -> list[WebinarRead]:
    """Those ahead, the next one first."""
    return await webinars.ahead(session)


@router.post("/webinar-registrants", status_code=201)
async def register(database: CurrentDatabase, throttle: CurrentThrottle, wanted: Registration) -> Registered:
    """The answer is the same for an address that was registered before."""
    await webinars.register(database, throttle, wanted)
    return Registered()


@router.get("/webinar-registrants")
async def list_registrants(
    session: Session, user: Reader, query: Annotated[RegistrantQuery, Query()]
) -> Page[RegistrantRead]:
    """Staff see all of them; the members of a group those of the group and those of none."""
    rows, next_cursor = await service.list_page(session, user, query)
    return Page(items=[RegistrantRead.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get("/webinar-registrants/{registrant_id}")
async def get_registrant(session: Session, user: Reader, registrant_id: UUID) -> RegistrantRead:
    return RegistrantRead.model_validate(await service.get(session, user, registrant_id))


@router.patch("/webinar-registrants/{registrant_id}")
async def update_registrant(
    session: Session, user: Editor, registrant_id: UUID, wanted: RegistrantUpdate
) -> RegistrantRead:
    """What is left out stays as it is. group and assigned_sales_rep are for staff."""
    return RegistrantRead.model_validate(await service.update(session, user, registrant_id, wanted))


@router.delete("/webinar-registrants/{registrant_id}", status_code=204)
async def delete_registrant(session: Session, user: Staff, registrant_id: UUID) -> None:
    await service.delete(session, user, registrant_id)


@router.get(PHOTO, response_class=Response, responses={200: {"content": {images.MEDIA_TYPE: {}}}})
async def get_photo(photos: CurrentPhotos, user: Reader, registrant_id: UUID) -> Response:
    content = await photos.read(user, registrant_id)
    headers = {"Content-Disposition": f'inline; filename="photo{images.SUFFIX}"'}
    return Response(content, media_type=images.MEDIA_TYPE, headers=headers)


@router.put(PHOTO)
async def replace_photo(
    photos: CurrentPhotos, user: Photographer, registrant_id: UUID, photo: UploadFile
) -> RegistrantRead:
    """A JPEG, PNG or WebP picture; it is kept as a small WebP without anything that was hidden in it."""
    return RegistrantRead.model_validate(await photos.replace(user, registrant_id, photo))


@router.delete(PHOTO, status_code=204)
async def remove_photo(photos: CurrentPhotos, user: Photographer, registrant_id: UUID) -> None:
    await photos.remove(user, registrant_id)
