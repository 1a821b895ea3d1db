"""/docs from our own files: no other host is asked for anything."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.http.pages import page
from app.http.security import HEADERS

# Swagger UI's style sheet holds its icons as data.
POLICY = f"{HEADERS['Content-Security-Policy']}; img-src 'self' data:"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    context = {"openapi_path": request.app.openapi_url}
    return page(request, "docs.html", context, headers={"Content-Security-Policy": POLICY})
