"""For those who work here: each registrant is a card, which htmx replaces when its forms are sent."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse

from app.features.users.dependencies import Role, may
from app.features.users.models import User
from app.features.webinar_registrants import service
from app.features.webinar_registrants.models import Status, WebinarRegistrant
from app.features.webinar_registrants.photos import CurrentPhotos
from app.features.webinar_registrants.router import Editor, Photographer, Reader
from app.features.webinar_registrants.schemas import RegistrantEdit, RegistrantQuery, RegistrantUpdate
from app.http.dependencies import Session
from app.http.forms import Form
from app.http.images import NotAnImage
from app.http.pages import page, redirect, wants_fragment

router = APIRouter(prefix="/webinars/registrants")

FOLDER = "webinar_registrants/templates"
ONE = "/{registrant_id}"
UPLOADS = (f"{router.prefix}{ONE}/photo",)


@router.get("")
async def list_registrants(
    request: Request, session: Session, user: Reader, query: Annotated[RegistrantQuery, Query()]
) -> HTMLResponse:
    rows, next_cursor = await service.list_page(session, user, query)
    context = {
        "rows": rows,
        "next_cursor": next_cursor,
        "form": Form.of(query),
        "titles": await service.titles(session, user),
        "untouched": Form.of({}),  # the cards' forms
        "said": None,
        **_rights(user),
    }
    return page(request, f"{FOLDER}/registrants.html", context)


@router.get(ONE)
async def show_registrant(request: Request, session: Session, user: Reader, registrant_id: UUID) -> HTMLResponse:
    return _card(request, user, await service.get(session, user, registrant_id), Form.of({}))


@router.post(ONE)
async def edit_registrant(request: Request, session: Session, user: Editor, registrant_id: UUID) -> Response:
    form: Form[RegistrantEdit] = await Form.read(request, RegistrantUpdate if may(user, Role.STAFF) else RegistrantEdit)
    status = 422
    try:
        if form.data:
            return _done(request, user, await service.update(session, user, registrant_id, form.data), "Saved.")
    except service.RegistrantChanged as error:
        status = error.status
        form.fail("", str(error))
        del form.values["seen_at"]  # the card shows what stands there now, beside what was typed
    return _card(request, user, await service.get(session, user, registrant_id), form, status=status)


@router.post(f"{ONE}/photo")
async def replace_photo(
    request: Request, photos: CurrentPhotos, user: Photographer, registrant_id: UUID, photo: UploadFile
) -> Response:
    try:
        registrant = await photos.replace(user, registrant_id, photo)
    except NotAnImage as error:
        form = Form.of({})
        form.fail("photo", str(error))
        return _card(request, user, await photos.owner(user, registrant_id), form, status=error.status)
    return _done(request, user, registrant, "The photo is kept.")


@router.post(f"{ONE}/photo/remove")
async def remove_photo(request: Request, photos: CurrentPhotos, user: Photographer, registrant_id: UUID) -> Response:
    return _done(request, user, await photos.remove(user, registrant_id), "The photo is gone.")


def _done(request: Request, user: User, row: WebinarRegistrant, said: str) -> Response:
    """htmx gets the new card; a plain form a page of its own."""
    if wants_fragment(request):
        return _card(request, user, row, Form.of({}), said)
    return redirect(request, f"/webinars/registrants/{row.id}", said)


def _card(
    request: Request, user: User, row: WebinarRegistrant, form: Form[Any], said: str | None = None, *, status: int = 200
) -> HTMLResponse:
    name = "card.html" if wants_fragment(request) else "registrant.html"
    context = {"row": row, "form": form, "said": said, **_rights(user)}
    return page(request, f"{FOLDER}/{name}", context, status=status)


def _rights(user: User) -> dict[str, object]:
    return {
        "may_edit": may(user, *service.EDITORS),
        "may_photo": may(user, *service.PHOTOGRAPHERS),
        "is_staff": may(user, Role.STAFF),
        "statuses": [(status, status.capitalize()) for status in Status],
        "groups": [(group, group.capitalize()) for group in service.GROUPS],
    }
