"""The routes: an own set for each view, so that the table of roles names each of them."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from app.errors import Forbidden, Invalid, NotFound, Unauthenticated
from app.http.admin import lists, values, writing
from app.http.admin.views import Action, View, label_of
from app.http.dependencies import Session
from app.http.forms import Form, body_of
from app.http.pages import Link, Visitor, page, redirect, visitor


def known_visitor(request: Request) -> Visitor:
    """Errors: Unauthenticated."""
    who = visitor(request)
    if who is None:
        raise Unauthenticated("Log in first.")
    return who


def link(views: Sequence[View]) -> Link:
    def allowed(who: Visitor | None) -> bool:
        return who is not None and any(view.allows(who, "read") for view in views)

    return Link("Admin", "/admin", allowed)


def router(views: Sequence[View]) -> APIRouter:
    made = APIRouter(include_in_schema=False)

    @made.get("/admin")
    @made.get("/admin/")
    async def index(request: Request) -> HTMLResponse:
        who = known_visitor(request)
        return page(request, "admin/index.html", {"views": [view for view in views if view.allows(who, "read")]})

    for view in views:
        Pages(view).add_to(made)
    return made


class Pages:
    """Of one view."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.form_model = values.form_model(view)
        self.query_model = lists.query_model(view)
        self.inputs = values.inputs(view, self.form_model)

    def add_to(self, router: APIRouter) -> None:
        self._add(router, "GET", "", self.show_list, "read")
        self._add(router, "GET", "/export.csv", self.export, "read")
        if self.view.creatable_by is not None:
            self._add(router, "GET", "/new", self.show_new, "create")
            self._add(router, "POST", "/new", self.create, "create")
        if self.view.deletable_by is not None:
            self._add(router, "POST", "/delete", self.delete, "delete")
        self._add(router, "GET", "/{record_id}", self.show, "read")
        if self.view.editable_by is not None:
            self._add(router, "POST", "/{record_id}", self.edit, "edit")

    def _add(
        self, router: APIRouter, method: str, path: str, route: Callable[..., Awaitable[Response]], action: Action
    ) -> None:
        async def require(request: Request) -> None:
            if not self.view.allows(known_visitor(request), action):
                raise Forbidden("Your account may not do that.")

        # As the route's own dependency it comes before the session's: who may not write waits for no lock.
        guard = [Depends(require)]
        name = f"admin {self.view.name} {route.__name__}"
        router.add_api_route(
            self.view.path + path, route, methods=[method], dependencies=guard, name=name, response_model=None
        )

    async def show_list(self, request: Request, session: Session) -> HTMLResponse:
        query = lists.parse(self.query_model, request.query_params)
        statement = lists.selected(self.view, known_visitor(request), query)
        rows, total = await lists.page_of(session, statement, query.page)
        context = {
            "rows": [(row.id, [(name, getattr(row, name)) for name in self.view.listed]) for row in rows],
            "query": query,
            "total": total,
            "pages": max(1, -(-total // lists.PAGE_SIZE)),
            "filters": lists.filters(self.view, query),
        }
        return self._page(request, "list", context)

    async def export(self, request: Request, session: Session) -> Response:
        query = lists.parse(self.query_model, request.query_params)
        text = await lists.export(session, self.view, lists.selected(self.view, known_visitor(request), query))
        headers = {"Content-Disposition": f'attachment; filename="{self.view.name}.csv"'}
        return Response(text.encode(), headers=headers, media_type="text/csv; charset=utf-8")

    async def show(self, request: Request, session: Session, record_id: UUID) -> HTMLResponse:
        [row] = await self._rows(request, session, [record_id])
        return self._page(request, "record", self._record(row) | {"form": values.filled(self.view, row)})

    async def edit(self, request: Request, session: Session, record_id: UUID) -> Response:
        [row] = await self._rows(request, session, [record_id], lock=True)
        form = await Form.read(request, self.form_model)
        context = self._record(row)  # now: what fails to be written takes the row's values with it
        if await writing.write(session, self.view, known_visitor(request), form, row) is None:
            return self._page(request, "record", context | {"form": form}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return redirect(request, f"{self.view.path}/{record_id}", "Saved.")

    async def show_new(self, request: Request) -> HTMLResponse:
        return self._page(request, "new", {"form": values.filled(self.view)})

    async def create(self, request: Request, session: Session) -> Response:
        form = await Form.read(request, self.form_model)
        row = await writing.write(session, self.view, known_visitor(request), form, None)
        if row is None:
            return self._page(request, "new", {"form": form}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return redirect(request, f"{self.view.path}/{row.id}", "Created.")

    async def delete(self, request: Request, session: Session) -> Response:
        """Of one or many, after a question."""
        sent = await body_of(request)
        try:
            ids = list(dict.fromkeys(UUID(str(text)) for text in sent.getlist("id")))
        except ValueError as error:
            raise Invalid("Rows are named by their ids.") from error
        if not ids:
            raise Invalid("Nothing is chosen.")
        rows = await self._rows(request, session, ids, lock=True)
        if sent.get("sure") != "yes":
            return self._page(request, "delete", {"rows": [(row.id, self._title(row)) for row in rows]})
        await writing.delete(session, rows)
        return redirect(request, self.view.path, f"Deleted: {len(rows)}.")

    async def _rows(self, request: Request, session: Session, ids: list[UUID], *, lock: bool = False) -> list[Any]:
        """Errors: NotFound, unless each of them is there for this person."""
        wanted = self.view.select(known_visitor(request)).where(self.view.column("id").in_(ids))
        wanted = wanted.order_by(self.view.column("id"))
        rows = list(await session.scalars(wanted.with_for_update() if lock else wanted))
        if len(rows) != len(ids):
            raise NotFound("There is no such row.")
        return rows

    def _record(self, row: Any) -> dict[str, object]:
        facts = [(label_of(name), getattr(row, name)) for name in self.view.visible]
        return {"id": row.id, "title": self._title(row), "facts": facts}

    def _title(self, row: Any) -> str:
        return values.shown(getattr(row, self.view.listed[0]))

    def _page(
        self, request: Request, name: str, context: dict[str, object], status: int = HTTPStatus.OK
    ) -> HTMLResponse:
        who = known_visitor(request)
        common = {
            "view": self.view,
            "may": lambda action: self.view.allows(who, action),
            "inputs": self.inputs,
            "shown": values.shown,
            "label_of": label_of,
        }
        return page(request, f"admin/{name}.html", common | context, status=status)
