"""A real browser on the running service: Chromium, driven by playwright.

With UPDATE_SCREENSHOTS=1 the pictures of docs/images are made anew.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, ViewportSize, sync_playwright

from app.settings import ROOT

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
IMAGES = ROOT / "docs/images"
SIZE = ViewportSize(width=1100, height=760)


def chromium() -> str:
    for program in PROGRAMS:
        if found := shutil.which(program):
            return found
    pytest.skip("no Chromium here: apt-get install chromium-headless-shell")


@contextmanager
def browsing(origin: str, *, javascript: bool = True, dark: bool = False) -> Iterator[Page]:
    """A page of a new browser. What its console complains about fails the test: a broken script, a refused style."""
    complaints: list[str] = []
    # Within the test and not as a fixture of the session: its event loop would be in the way of the other tests'.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        context = browser.new_context(
            base_url=origin, java_script_enabled=javascript, color_scheme="dark" if dark else "light", viewport=SIZE
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert not complaints, complaints


def _is_complaint(message: ConsoleMessage) -> bool:
    # An answer of 404 or 422 is one too to the console; the tests know those.
    return message.type == "error" and "Failed to load resource: the server responded" not in message.text


def picture(page: Page, name: str, folder: Path) -> None:
    """docs/images/NAME.png, or into the folder where they shall stay as they are."""
    target = IMAGES if os.environ.get("UPDATE_SCREENSHOTS") else folder
    target.mkdir(exist_ok=True)
    page.screenshot(path=target / f"{name}.png")
