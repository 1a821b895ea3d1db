"""What a browser's form sends, as a model: and what to show again where it is not one."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import Any, Generic, TypeVar, get_args

from fastapi import HTTPException, Request
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData

from app.db.types import is_storable
from app.http.problems import message_of

MAX_FIELDS = 200
REQUIRED = "This is required."

Model = TypeVar("Model", bound=BaseModel)


class Form(Generic[Model]):
    """data: the model, or None where something is wrong. values: what was typed. errors: one message a field.

    The field "" stands for the whole form. What was typed into a password is never shown again.
    """

    def __init__(self) -> None:
        self.data: Model | None = None
        self.values: dict[str, str] = {}
        self.errors: dict[str, str] = {}

    @classmethod
    async def read(cls, request: Request, model: type[Model]) -> "Form[Model]":
        """Uploaded files are closed by it: a route that wants one takes an UploadFile, and reads that first.

        Errors: HTTPException (400, 415) for what no browser sends.
        """
        return cls._of_texts(await body_of(request), model)

    @classmethod
    def read_query(cls, request: Request, model: type[Model]) -> "Form[Model]":
        """A form that is sent with GET: the filters of a list."""
        return cls._of_texts(request.query_params, model)

    @classmethod
    def _of_texts(cls, texts: Mapping[str, object], model: type[Model]) -> "Form[Model]":
        form = cls()
        sent = form._texts(texts, model)
        try:
            found = model.model_validate(sent)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                form._explain(problem)
        else:
            form.data = None if form.errors else found
        return form

    @classmethod
    def of(cls, source: object) -> "Form[Any]":  # Any: nothing was sent, so no model is there
        """A form that is filled with what an instance or a mapping holds."""
        form: Form[Any] = Form()
        held = source if isinstance(source, Mapping) else vars(source)
        form.values = {name: _shown(value) for name, value in held.items() if not _is_secret(name, type(value))}
        return form

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> str | None:
        return self.errors.get(name)

    def fail(self, name: str, message: str) -> None:
        """Say what is wrong with a field, or with the whole form (""). The first message of a field stays."""
        self.errors.setdefault(name, message)
        self.data = None

    def _texts(self, sent: Mapping[str, object], model: type[BaseModel]) -> dict[str, str | None]:
        """What the model is given: only its own fields, each at most once."""
        found: dict[str, str | None] = {}
        for name, field in model.model_fields.items():
            text = sent.get(name)
            if text is not None and not isinstance(text, str):
                self.fail(name, "Text is wanted here, and this is a file.")
            elif text is not None and not is_storable(text):
                self.fail(name, "This holds characters that cannot be stored.")
            else:
                found |= _meant(name, field, text)
                self.values |= {} if _is_secret(name, field.annotation) else {name: _typed(field, text)}
        return found

    def _explain(self, problem: Mapping[str, Any]) -> None:  # Any: pydantic's own
        name = str(problem["loc"][0]) if problem["loc"] else ""
        empty = problem["type"] == "missing" or problem.get("input") == ""
        self.fail(name, REQUIRED if empty else message_of(problem))


async def body_of(request: Request) -> FormData:
    """Errors: HTTPException (400, 415) for what no browser sends."""
    content_type = request.headers.get("content-type", "").lower()
    # Python knows charsets that raise, or that make half characters; a browser names none.
    if "charset" in content_type and "utf-8" not in content_type:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A form comes in UTF-8.")
    try:
        async with request.form(max_fields=MAX_FIELDS, max_files=MAX_FIELDS) as sent:
            return sent
    except FormParserError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from error


def _meant(name: str, field: FieldInfo, text: str | None) -> dict[str, str | None]:
    """What a browser's text means: a box that is not ticked is not sent, and a field that is left empty is empty."""
    if field.annotation is bool:
        return {name: text or "false"}
    if text is None:
        return {}
    if text == "" and type(None) in get_args(field.annotation):
        return {name: None}
    if text == "" and field.annotation not in (str, SecretStr):
        return {}
    return {name: text}


def _typed(field: FieldInfo, text: str | None) -> str:
    if field.annotation is bool:
        return "true" if text else ""
    return text or ""


def _is_secret(name: str, kind: object) -> bool:
    return "password" in name or SecretStr in (kind, *get_args(kind))


def _shown(value: object) -> str:
    """As an input's value attribute wants it."""
    if value is None or value is False:
        return ""
    if value is True:
        return "true"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M")
    return str(value.value if isinstance(value, Enum) else value)
