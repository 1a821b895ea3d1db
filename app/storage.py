"""Files that people send: in a folder, or in an S3-compatible bucket, as STORAGE_URL says.

A row names its file in a column of type StoredFile. So a file is written before its row is committed, and removed after
the row has forgotten it: what a crash leaves behind is a file that no row names, which harms nobody until oppman.py
files removes it.
"""

import asyncio
import logging
import os
import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from pydantic import SecretStr
from sqlalchemy import ColumnElement, event, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, Session, UOWTransaction

from app.db.base import Base
from app.db.types import BoundedString
from app.errors import UserError
from app.settings import ROOT

logger = logging.getLogger(__name__)

UNUSED = "files that no row names once this session has committed"
NAME = re.compile(r"\w+/[0-9a-f]{32}\.\w+")  # as put() makes them: nothing else in a bucket is ours
UNCLAIMED_HOURS = 1  # a younger file may be one whose row is still on its way

# What obstore raises.
FAILURES = (BaseError, OSError)
NO_NAME = (ValueError, TypeError)  # of a path that it cannot take: "../x", "a//b"


class StorageUnavailable(UserError):
    """The folder or the bucket cannot be worked with now. Why is in the cause."""

    exit_code = 8


class Storage:
    def __init__(self, url: SecretStr) -> None:
        self._url = url

    async def put(self, folder: str, content: bytes, suffix: str) -> str:
        """The name of a new file: random, so that it cannot be guessed, and never one that was there before.

        Errors: StorageUnavailable.
        """
        name = f"{folder}/{token_hex(16)}{suffix}"
        try:
            await self._store.put_async(name, content)
            if isinstance(self._store, LocalStore):
                # It is whole or not there already; the row that will name it must not outlive it in a power cut.
                await asyncio.to_thread(_to_disk, Path(f"{self._store.prefix}") / name)
        except FAILURES as error:
            _refuse(error)
        return name

    async def get(self, name: str) -> bytes | None:
        """What the file holds; None where there is none of that name.

        Errors: StorageUnavailable.
        """
        try:
            found = await self._store.get_async(name)
            return bytes(await found.bytes_async())
        except (FileNotFoundError, *NO_NAME):
            return None
        except FAILURES as error:
            _refuse(error)

    async def discard(self, *names: str) -> None:
        """Errors: none, it happens behind a commit. What cannot be removed now is left to oppman.py files."""
        for name in names:
            try:
                await self._store.delete_async(name)
            except FileNotFoundError:
                pass
            except (*NO_NAME, *FAILURES) as error:
                logger.warning("a file was not removed: %s", type(error).__name__)

    async def discard_unused(self, session: AsyncSession) -> None:
        """Call it when the session has committed."""
        await self.discard(*session.info.pop(UNUSED, ()))

    async def orphans(self, session: AsyncSession) -> list[str]:
        """The files that no row names, and that are old enough not to be waiting for theirs.

        Errors: StorageUnavailable.
        """
        before = datetime.now(UTC) - timedelta(hours=UNCLAIMED_HOURS)
        try:
            listed = [item async for chunk in self._store.list() for item in chunk]
        except FAILURES as error:
            _refuse(error)
        # Listed first: a row that comes meanwhile names a file that is not in the list.
        columns = [column for mapper in Base.registry.mappers for column in _file_columns(mapper)]
        used = {name for column in columns for name in await session.scalars(select(column))}
        old = (item["path"] for item in listed if item["last_modified"] < before)
        return [name for name in old if NAME.fullmatch(name) and name not in used]

    @cached_property
    def _store(self) -> LocalStore | S3Store:
        """Opened when it is first used: a service that keeps no files needs no folder."""
        url = self._url.get_secret_value()
        if url.startswith("s3://"):
            return _bucket(url)
        folder = ROOT / Path(url).expanduser()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(folder)


class StoredFile(BoundedString):
    """The name of a file: removed with its row, or when the row names another one."""

    cache_ok = True


@event.listens_for(Session, "after_flush")
def _note_unused(session: Session, _context: UOWTransaction) -> None:
    for row in (*session.dirty, *session.deleted):
        state = inspect(row)
        for column in _file_columns(state.mapper):
            history = state.attrs[state.mapper.get_property_by_column(column).key].history
            old = history.deleted or (history.unchanged if row in session.deleted else ())
            session.info.setdefault(UNUSED, []).extend(name for name in old or () if name)


def _file_columns(mapper: Mapper[Any]) -> list[ColumnElement[Any]]:  # Any: of any table
    return [column for column in mapper.columns if isinstance(column.type, StoredFile)]


@event.listens_for(Session, "after_soft_rollback")
def _keep(session: Session, _previous: object) -> None:
    """Whether it took back what was said before is hard to tell, and a file too many is better than one too few."""
    session.info.pop(UNUSED, None)


def _bucket(url: str) -> S3Store:
    """What the URL does not say comes from AWS_ACCESS_KEY_ID and its like."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    told = {
        "access_key_id": unquote(parts.username or ""),
        "secret_access_key": unquote(parts.password or ""),
        "endpoint": query.get("endpoint", ""),
        "region": query.get("region", ""),
    }
    return S3Store(
        parts.hostname,
        prefix=parts.path.strip("/") or None,
        config={name: value for name, value in told.items() if value},  # type: ignore[arg-type] # a TypedDict
        client_options={
            "allow_http": told["endpoint"].startswith("http://"),
            "connect_timeout": "3s",
            "timeout": "20s",
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
    )


def _to_disk(path: Path) -> None:
    for each in (path, path.parent):  # the folder holds the name
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse(error: Exception) -> NoReturn:
    raise StorageUnavailable("the files are away: check STORAGE_URL, its keys, and that it may be written") from error
