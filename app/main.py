"""The whole service on one page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging.config import dictConfig

from fastapi import Depends, FastAPI

from app.db.session import Database
from app.features import modules
from app.http import api_docs, health, home, problems
from app.http.admin import pages as admin
from app.http.admin.views import all_views
from app.http.assets import FOLDER, Assets
from app.http.csrf import SameOrigin
from app.http.middleware import AllowedHosts, BodyLimit, RequestContext
from app.http.security import SecurityHeaders
from app.observe import logs
from app.settings import Settings, load_settings
from app.storage import Storage


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
    app.state.storage = Storage(settings.storage_url)
    app.state.navigation = ()

    features = [*modules("router"), *modules("pages")]
    uploads = [path for feature in features for path in getattr(feature, "UPLOADS", ())]
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, settings.max_body_bytes, settings.max_upload_bytes, uploads)
    app.add_middleware(SameOrigin)
    app.add_middleware(AllowedHosts, hosts=settings.allowed_hosts)
    app.add_middleware(RequestContext)
    app.add_middleware(SecurityHeaders, https_only=settings.environment == "production")
    problems.add_handlers(app)

    app.include_router(health.router)
    app.include_router(api_docs.router)
    # Every route of a feature knows who is there, and so does what it writes.
    # docs/decisions/0019-what-changes-is-recorded-by-the-session.md
    everywhere = [Depends(feature.identify) for feature in modules("dependencies") if hasattr(feature, "identify")]
    app.include_router(home.router, dependencies=everywhere)
    for feature in modules("router"):
        app.include_router(feature.router, dependencies=everywhere)
    for feature in modules("pages"):
        app.include_router(feature.router, include_in_schema=False, dependencies=everywhere)
        app.state.navigation += getattr(feature, "LINKS", ())
    modules("models")  # all of them: the admin shows each
    views = all_views(view for feature in modules("admin") for view in feature.VIEWS)
    app.include_router(admin.router(views), dependencies=everywhere)
    app.state.navigation += (admin.link(views),)
    app.mount("/static", Assets(directory=FOLDER))
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    dictConfig(logs.config(settings.log_level))
    app.state.database = Database.open(settings)
    for feature in modules("startup"):
        await feature.on_start(app.state.database, settings)
    try:
        yield
    finally:
        await app.state.database.close()


app = create_app(load_settings())
