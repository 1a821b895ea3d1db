"""An account's life in a browser, with and without JavaScript."""

import re
from pathlib import Path

import pytest
from door import free_port
from serving import serving

pytest.importorskip("playwright")

from browsing import browsing, picture

UNNAMED = "[...document.querySelectorAll('input:not([type=hidden])')].filter(each => !each.labels.length).length"
PASSWORD = "correct horse battery staple"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "javascript"), [("sqlite", True), ("postgresql", False)], indirect=["backend"], scope="session"
)
def test_register_log_in_look_around_and_log_out(
    checkout: Path, empty_url: str, tmp_path: Path, javascript: bool
) -> None:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with (
        serving(checkout, "start", port, DATABASE_URL=empty_url),
        browsing(origin, javascript=javascript) as page,
    ):
        page.goto("/")
        picture(page, "home", tmp_path)
        page.get_by_role("link", name="Register").click()
        page.get_by_label("E-mail").fill("ada@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Register").click()
        page.get_by_text("You can log in already").wait_for()

        page.get_by_label("E-mail").fill("ada@example.com")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").get_by_text("Wrong e-mail address or password.").wait_for()
        assert page.get_by_label("Password").input_value() == ""
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("Welcome back.").wait_for()

        [path] = re.findall(r"/verify\?token=\S+", (checkout.parent / "output").read_text())
        page.goto(path)
        page.get_by_role("button", name="Confirm").click()
        page.get_by_text("Your address is confirmed.").wait_for()
        page.get_by_text("this one").wait_for()
        picture(page, "account", tmp_path)

        page.get_by_role("button", name="Log out").click()
        page.get_by_text("You are logged out.").wait_for()
        page.goto("/account")
        assert page.url == f"{origin}/login?next=/account"


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_every_page_fits_a_small_screen_and_the_keyboard_reaches_everything(
    checkout: Path, tmp_path: Path, dark: bool
) -> None:
    port = free_port()
    with serving(checkout, "start", port), browsing(f"http://127.0.0.1:{port}", dark=dark) as page:
        for path in ("/", "/login", "/register", "/reset", "/nothing-here"):
            page.set_viewport_size({"width": 320, "height": 640})
            answer = page.goto(path)
            assert answer
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 320, path
            unnamed = page.evaluate(
                "[...document.querySelectorAll('input:not([type=hidden])')].filter(i => !i.labels.length).length"
            )
            assert unnamed == 0, path
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        picture(page, f"small-{'dark' if dark else 'light'}", tmp_path)
