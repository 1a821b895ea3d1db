from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.features.users.dependencies import Identified, may
from app.features.webinar_registrants import registrant_pages, service, webinars
from app.features.webinar_registrants.schemas import Registered, Registration
from app.http.dependencies import CurrentDatabase, Session
from app.http.forms import Form
from app.http.pages import Link, page, redirect
from app.http.throttle import CurrentThrottle

LINKS = (Link("Webinars", "/webinars"),)
UPLOADS = registrant_pages.UPLOADS
FOLDER = "webinar_registrants/templates"

router = APIRouter()
router.include_router(registrant_pages.router)


@router.get("/webinars")
async def show_webinars(request: Request, session: Session, user: Identified) -> HTMLResponse:
    ahead = await webinars.ahead(session)
    context = {"webinars": ahead, "form": Form.of({}), "may_read": may(user, *service.READERS)}
    return page(request, f"{FOLDER}/webinars.html", context)


@router.post("/webinars")
async def register(
    request: Request, database: CurrentDatabase, throttle: CurrentThrottle, user: Identified
) -> Response:
    form = await Form.read(request, Registration)
    if form.data is not None:
        try:
            await webinars.register(database, throttle, form.data)
        except webinars.NotAhead as error:
            form.fail("webinar_id", str(error))
    if form.data is not None:
        return redirect(request, "/webinars", Registered().message)
    async with database.transaction(read_only=True) as session:
        context = {"webinars": await webinars.ahead(session), "form": form, "may_read": may(user, *service.READERS)}
    return page(request, f"{FOLDER}/webinars.html", context, status=422)
