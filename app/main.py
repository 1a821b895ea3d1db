"""The whole service on one page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging.config import dictConfig

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app.db.session import Database
from app.features import modules
from app.http import api_docs, health, problems
from app.http.middleware import AllowedHosts, BodyLimit, RequestContext
from app.observe import logs
from app.settings import ROOT, Settings, load_settings


def create_app(settings: Settings) -> FastAPI:
    app = FastAPI(
        title=settings.app_name,
        debug=settings.debug,
        docs_url=None,  # api_docs.py serves it without a CDN
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the Host header of the request
        lifespan=lifespan,
        responses=problems.PROBLEM_RESPONSES,
    )
    app.state.settings = settings

    # The last one added is the outermost.
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(AllowedHosts, hosts=settings.allowed_hosts)
    app.add_middleware(RequestContext)
    problems.add_handlers(app)

    app.include_router(health.router)
    app.include_router(api_docs.router)
    for feature in modules("router"):
        app.include_router(feature.router)
    app.mount("/static", StaticFiles(directory=ROOT / "app/web/static"))
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    dictConfig(logs.config(settings.log_level))
    app.state.database = Database.open(settings)
    try:
        yield
    finally:
        await app.state.database.close()


app = create_app(load_settings())
