"""What one does with the demo, in a real browser on the running service: with JavaScript and without."""

import io
from pathlib import Path

import pytest
from door import free_port, oppman
from PIL import Image
from serving import serving

pytest.importorskip("playwright")

from browsing import browsing, picture
from playwright.sync_api import Page

PASSWORD = "correct horse battery staple"
BOSS, CLERK = "boss@example.com", "clerk@example.com"


def log_in(page: Page, email: str, path: str) -> None:
    """By being sent to the log-in page on the way to another, and on to that one."""
    page.goto(path)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Welcome back.").wait_for()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    page.get_by_text("You are logged out.").wait_for()


def photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    return file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "javascript"), [("sqlite", True), ("postgresql", False)], indirect=["backend"], scope="session"
)
def test_a_visitor_registers_a_clerk_takes_notes_and_an_admin_changes_a_price(
    checkout: Path, empty_url: str, backend: str, tmp_path: Path, javascript: bool
) -> None:
    port = free_port()
    url = empty_url if backend == "postgresql" else "sqlite:///./app.db"  # as the pictures shall have it
    with serving(checkout, "start", port, DATABASE_URL=url):
        for email in (BOSS, CLERK):
            made = oppman(checkout, "users", "create-superuser", email, typed=f"{PASSWORD}\n", DATABASE_URL=url)
            assert made.returncode == 0, made.stderr
        assert oppman(checkout, "users", "roles", CLERK, "--no-superuser", DATABASE_URL=url).returncode == 0
        with browsing(f"http://127.0.0.1:{port}", javascript=javascript) as page:
            page.goto("/")
            picture(page, "home", tmp_path)
            page.goto("/posts")
            picture(page, "posts", tmp_path)
            register(page)
            take_notes(page, tmp_path)
            change_a_price(page, tmp_path)


def register(page: Page) -> None:
    page.goto("/webinars")
    page.get_by_label("Name", exact=True).fill("Margaret Hamilton")
    page.get_by_label("E-mail").fill("margaret@example.com")
    page.get_by_role("button", name="Register").click()
    page.locator(".notice").wait_for()


def take_notes(page: Page, pictures: Path) -> None:
    log_in(page, CLERK, "/webinars/registrants")
    card = page.locator("article", has_text="Margaret Hamilton")
    card.get_by_text("Change", exact=False).first.click()
    card.get_by_label("Notes").fill("Wrote the software <b>itself</b>.")
    card.get_by_role("button", name="Save").click()
    page.get_by_text("Wrote the software <b>itself</b>.").first.wait_for()
    page.goto("/webinars/registrants")
    card = page.locator("article", has_text="Margaret Hamilton")
    card.get_by_text("Change", exact=False).first.click()
    card.get_by_label("Photo").set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": photo()})
    card.get_by_role("button", name="Upload").click()
    page.locator("article", has_text="Margaret Hamilton").locator("img").wait_for()
    page.goto("/webinars/registrants")
    picture(page, "registrants", pictures)
    log_out(page)


def change_a_price(page: Page, pictures: Path) -> None:
    log_in(page, BOSS, "/admin")
    page.goto("/products")
    picture(page, "products", pictures)
    page.goto("/admin/products?q=Desk+lamp")
    picture(page, "admin", pictures)
    page.get_by_role("link", name="Desk lamp").first.click()
    page.get_by_label("Price cents").fill("8100")
    page.get_by_role("button", name="Save").click()
    page.goto("/products")
    page.get_by_text("81.00").wait_for()
    page.goto("/admin/audit-logs")
    page.get_by_role("row", name="Product").filter(has_text="update").first.get_by_role("link").first.click()
    page.get_by_text("8100").first.wait_for()
    assert "7900" in page.inner_text("main")
    assert BOSS in page.inner_text("main")
    picture(page, "audit", pictures)
    log_out(page)
