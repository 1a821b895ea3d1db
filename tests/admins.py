"""The admin in tests: its lines in a table of roles, and somebody who is there with a browser."""

import re
from html import unescape

from httpx import AsyncClient
from people import SUPERUSER, person, token_of
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.users.models import User


def admin_routes(
    name: str, read: set[str], create: set[str] | None, edit: set[str] | None, delete: set[str] | None
) -> dict[str, set[str]]:
    """None: there is no such route. A superuser may do whatever anybody may."""
    routes = {
        f"GET /admin/{name}": read,
        f"GET /admin/{name}/export.csv": read,
        f"GET /admin/{name}/{{record_id}}": read,
        f"GET /admin/{name}/new": create,
        f"POST /admin/{name}/new": create,
        f"POST /admin/{name}/{{record_id}}": edit,
        f"POST /admin/{name}/delete": delete,
    }
    return {route: kinds | SUPERUSER for route, kinds in routes.items() if kinds is not None}


async def enter(browser: AsyncClient, session: AsyncSession, kind: str = "superuser") -> User:
    """A new person of that kind, logged in with the browser."""
    user = await person(session, kind)
    browser.cookies.set("session", await token_of(session, user))
    return user


async def form_of(browser: AsyncClient, path: str, **changed: str) -> dict[str, str]:
    """What the browser would send from that page's form, with some fields changed."""
    html = (await browser.get(path)).text
    form = html[html.index('<form class="form"') :]
    form = form[: form.index("</form>")]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") != "checkbox" or " checked" in tag:
            found[attributes["name"]] = attributes.get("value", "")
    for name, text in re.findall(r"<textarea[^>]*?name=\"(\w+)\"[^>]*>\n(.*?)</textarea>", form, re.DOTALL):
        found[name] = unescape(text)
    for name, options in re.findall(r"<select[^>]*?name=\"(\w+)\"[^>]*>(.*?)</select>", form, re.DOTALL):
        selected = re.findall(r'<option value="([^"]*)" selected', options)
        found[name] = unescape(selected[0]) if selected else ""
    return {name: value for name, value in (found | changed).items() if value is not None}
