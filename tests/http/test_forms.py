from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import pytest
from conftest import client_of
from databases import settings_for
from fastapi import FastAPI, Request, UploadFile
from httpx import AsyncClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr, model_validator

from app.http.forms import Form
from app.http.pages import page
from app.main import create_app

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}


class Size(StrEnum):
    SMALL = "small"


class Order(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=20)]
    quantity: Annotated[int, Field(ge=1)] = 1
    note: Annotated[str | None, Field(max_length=1000)] = None
    due: date | None = None
    size: Size | None = None
    gift: bool = True
    password: str = ""
    token: SecretStr | None = None

    @model_validator(mode="after")
    def small_gifts_only(self) -> "Order":
        if self.gift and self.quantity > 5:
            raise ValueError("A gift is of five at most.")
        return self


@pytest.fixture
def read() -> list[Form[Order]]:
    return []


@pytest.fixture
def app(read: list[Form[Order]]) -> FastAPI:
    app = create_app(settings_for("sqlite://"))

    @app.post("/order", response_model=None)
    async def order(request: Request) -> object:
        form = await Form.read(request, Order)
        read.append(form)
        context = {"status": 422, "title": "", "detail": str(form.values), "errors": [], "request_id": ""}
        return page(request, "error.html", context, status=200 if form.data else 422)

    return app


async def test_a_form_becomes_a_model(app: FastAPI, read: list[Form[Order]]) -> None:
    sent = {"name": "Pen", "quantity": "3", "note": "", "due": "2026-01-05", "size": "small", "gift": "true", "x": "y"}
    async with client_of(app) as client:
        for response in (
            await client.post("/order", data=sent),
            await client.post("/order", files={name: (None, text) for name, text in sent.items()}),
        ):
            assert response.status_code == 200
    for form in read:
        assert form.errors == {}
        assert form.data == Order(name="Pen", quantity=3, due=date(2026, 1, 5), size=Size.SMALL, gift=True)


async def test_what_a_browser_leaves_out_is_false_empty_or_the_default(app: FastAPI, read: list[Form[Order]]) -> None:
    async with client_of(app) as client:
        await client.post("/order", data={"name": "Pen", "quantity": "", "note": "", "size": "", "token": ""})
    assert read[0].data == Order(name="Pen", quantity=1, gift=False)


async def test_what_is_wrong_is_said_once_a_field_and_what_was_typed_is_kept(
    app: FastAPI, read: list[Form[Order]]
) -> None:
    async with client_of(app) as client:
        response = await client.post("/order", data={"name": "", "quantity": "<many>", "due": "soon", "gift": "on"})
    [form] = read
    assert response.status_code == 422
    assert form.data is None
    assert form.errors["name"] == "This is required."
    assert form.errors["quantity"] == "Input should be a valid integer"
    assert set(form.errors) == {"name", "quantity", "due"}
    assert (form.value("quantity"), form.value("gift"), form.value("nothing")) == ("<many>", "true", "")


async def test_an_error_of_the_whole_form_has_no_field(app: FastAPI, read: list[Form[Order]]) -> None:
    async with client_of(app) as client:
        await client.post("/order", data={"name": "Pen", "quantity": "6", "gift": "on"})
    assert read[0].errors == {"": "A gift is of five at most."}


async def test_a_password_is_never_shown_again(app: FastAPI, read: list[Form[Order]]) -> None:
    async with client_of(app) as client:
        response = await client.post("/order", data={"name": "", "password": "canary-1", "token": "canary-2"})
    assert "canary" not in f"{response.text} {read[0].values}"


def test_an_edit_form_is_filled_from_what_there_is() -> None:
    order = Order(name="Pen", gift=True, size=Size.SMALL, password="canary", token=SecretStr("canary"))
    form = Form.of(order)
    assert (form.value("name"), form.value("quantity"), form.value("note")) == ("Pen", "1", "")
    assert (form.value("gift"), form.value("size")) == ("true", "small")
    assert "canary" not in str(form.values)
    mapping = {"at": datetime(2026, 1, 5, 9, 30), "hashed_password": "canary"}  # noqa: DTZ001  (a form has no zone)
    assert Form.of(mapping).values == {"at": "2026-01-05T09:30"}


def test_what_a_service_refuses_can_be_said_at_its_field() -> None:
    form: Form[Order] = Form()
    form.data = Order(name="Pen")
    form.fail("name", "There is one of that name.")
    form.fail("name", "And another reason.")
    assert form.errors == {"name": "There is one of that name."}
    assert form.data is None


@pytest.mark.parametrize("text", ["a%00b", "%ED%A0%80", "%FF%FE"])
async def test_text_that_cannot_be_stored_is_no_fault(app: FastAPI, read: list[Form[Order]], text: str) -> None:
    async with client_of(app) as client:
        response = await client.post("/order", content=f"name={text}", headers=URLENCODED)
    assert response.status_code in (200, 422)
    assert "\0" not in response.text
    if "%00" in text:
        assert "name" in read[0].errors


async def test_a_file_where_text_is_wanted_is_an_error_of_the_field(app: FastAPI, read: list[Form[Order]]) -> None:
    async with client_of(app) as client:
        response = await client.post("/order", files={"name": ("a.txt", b"x")}, data={"quantity": "2"})
    assert response.status_code == 422
    assert read[0].errors == {"name": "Text is wanted here, and this is a file."}


async def test_a_file_and_a_form_come_together(app: FastAPI, read: list[Form[Order]]) -> None:
    @app.post("/upload")
    async def upload(request: Request, photo: UploadFile) -> str:
        content = await photo.read()
        read.append(await Form.read(request, Order))
        return content.decode()

    async with client_of(app) as client:
        response = await client.post("/upload", files={"photo": ("a.txt", b"seen")}, data={"name": "Pen"})
    assert response.json() == "seen"
    assert read[0].data == Order(name="Pen", gift=False)


@pytest.mark.parametrize("charset", ["undefined", "idna", "unicode_escape", "utf-16", "base64", "nothing", "utf-7"])
async def test_a_charset_that_no_browser_names_is_refused(app: FastAPI, charset: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--x--\r\n'
    async with client_of(app) as client:
        headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
        assert (await client.post("/order", content=body, headers=headers)).status_code == 415


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (URLENCODED, b"&".join(b"f%d=1" % number for number in range(1000))),
        (
            MULTIPART,
            b"".join(b'--x\r\nContent-Disposition: form-data; name="n%d"\r\n\r\n1\r\n' % n for n in range(300)),
        ),
        (MULTIPART, b"--y\r\n"),
        (MULTIPART, b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"),
        (MULTIPART, b"--x\r\n: \r\n\r\n"),
        ({"Content-Type": "multipart/form-data"}, b""),
    ],
)
async def test_a_malformed_form_is_refused(app: FastAPI, headers: dict[str, str], body: bytes) -> None:
    async with client_of(app) as client:
        response = await client.post("/order", content=body, headers=headers)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


async def test_another_kind_of_body_is_an_empty_form(app: FastAPI, read: list[Form[Order]]) -> None:
    async with client_of(app) as client:
        response = await client.post("/order", json={"name": "Pen"})
    assert response.status_code == 422
    assert read[0].errors == {"name": "This is required."}


@pytest.fixture
async def any_client(app: FastAPI) -> AsyncClient:
    return client_of(app)


WORDS = [
    b"--x",
    b"--x--",
    b"--",
    b"\r\n",
    b"\n",
    b"name",
    b"quantity",
    b"=",
    b"&",
    b";",
    b"%",
    b"%zz",
    b":",
    b'"',
    b"\\",
]
HEADERS = [b"Content-Disposition: form-data; name=", b"; filename=", b"Content-Transfer-Encoding: base64"]
PIECES = st.lists(st.one_of(st.sampled_from(WORDS + HEADERS), st.binary(max_size=9)), max_size=30).map(b"".join)


@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=PIECES, headers=st.sampled_from([URLENCODED, MULTIPART]))
async def test_no_body_whatsoever_is_a_fault(any_client: AsyncClient, headers: dict[str, str], body: bytes) -> None:
    response = await any_client.post("/order", content=body, headers=headers)
    assert response.status_code in (200, 400, 422)
