import logging
import os
import time
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.settings import Settings
from app.storage import Storage, StorageUnavailable, StoredFile


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage(SecretStr(request.getfixturevalue("bucket_url") if request.param == "bucket" else f"{tmp_path}/a/b"))


async def test_a_file_is_kept_under_a_random_name_until_it_is_discarded(storage: Storage) -> None:
    content = os.urandom(300_000)
    names = [await storage.put("photos", content, ".webp") for _ in range(2)]
    assert len(set(names)) == 2
    assert [await storage.get(name) for name in names] == [content, content]
    await storage.discard(names[0], "photos/none")
    assert [await storage.get(name) for name in names] == [None, content]


@pytest.mark.parametrize(
    "name", ["../secret", "photos/../../secret", "/etc/passwd", "a//b", "\0", "photos/none", "photos"]
)
async def test_no_name_leads_outside(storage: Storage, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "a/secret").parent.mkdir(exist_ok=True)
    (tmp_path / "a/secret").write_text("secret")
    await storage.put("photos", b"x", ".webp")
    assert await storage.get(name) is None
    await storage.discard(name)
    assert (tmp_path / "a/secret").exists()


async def test_only_old_files_of_ours_can_be_orphans(
    storage: Storage, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphans = {await storage.put(folder, b"x", ".webp") for folder in ("photos", "others")}
    await storage._store.put_async("somebody/elses.txt", b"x")
    assert not orphans & set(await storage.orphans(session))  # their rows may be on their way
    monkeypatch.setattr("app.storage.UNCLAIMED_HOURS", -1)
    found = set(await storage.orphans(session))
    assert orphans <= found
    assert "somebody/elses.txt" not in found


class OwnBase(DeclarativeBase):
    """Beside the service's own: its tables are compared with the migrations."""


class Picture(OwnBase):
    __tablename__ = "pictures"

    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str | None] = mapped_column(StoredFile(100))


@pytest.fixture
async def picture(session: AsyncSession, storage: Storage) -> Picture:
    await (await session.connection()).run_sync(OwnBase.metadata.create_all)
    made = Picture(id=1, file=await storage.put("photos", b"x", ".webp"))
    session.add(made)
    await session.flush()
    return made


@pytest.mark.parametrize("how", ["delete", "replace", "empty"])
async def test_a_file_goes_when_its_row_has_forgotten_it(
    session: AsyncSession, storage: Storage, picture: Picture, how: str
) -> None:
    old = picture.file or ""
    if how == "delete":
        await session.delete(picture)
    else:
        picture.file = None if how == "empty" else "photos/another.webp"
    await session.flush()
    assert await storage.get(old) == b"x"  # until the commit
    await storage.discard_unused(session)
    assert await storage.get(old) is None


async def test_a_file_stays_where_its_row_does(session: AsyncSession, storage: Storage, picture: Picture) -> None:
    async with session.begin_nested() as part:
        await session.delete(picture)
        await session.flush()
        await part.rollback()
    picture.id = 2
    await session.flush()
    await storage.discard_unused(session)
    assert await storage.get(picture.file or "") == b"x"


async def test_a_folder_is_made_when_it_is_used_and_is_its_owners(tmp_path: Path) -> None:
    storage = Storage(SecretStr(f"{tmp_path}/uploads"))
    assert not (tmp_path / "uploads").exists()
    await storage.put("photos", b"x", ".webp")
    assert (tmp_path / "uploads").stat().st_mode & 0o777 == 0o700


async def test_a_folder_that_is_a_file_is_said_to_be_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "uploads").write_text("")
    storage = Storage(SecretStr(f"{tmp_path}/uploads"))
    with pytest.raises(StorageUnavailable, match="check STORAGE_URL"):
        await storage.put("photos", b"x", ".webp")
    with pytest.raises(StorageUnavailable):
        await storage.get("photos/x")
    with caplog.at_level(logging.WARNING):
        await storage.discard("photos/x")
    assert "was not removed" in caplog.text


async def test_a_bucket_that_is_away_is_given_up_soon() -> None:
    storage = Storage(SecretStr("s3://key:hidden@bucket?endpoint=http://127.0.0.1:9&region=us-east-1"))
    started = time.monotonic()
    with pytest.raises(StorageUnavailable) as caught:
        await storage.put("photos", b"x", ".webp")
    assert time.monotonic() - started < 15
    assert "hidden" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    "url",
    [
        "./uploads", "/var/lib/uploads", "~/uploads", "s3://bucket", "s3://bucket/a/b", "s3://key:secret@my.bucket",
        "s3://key:a%2Fb+c@bucket/?endpoint=http://localhost:9000&region=eu-central-1",
    ],
)  # fmt: skip
def test_a_storage_url_is_taken(url: str) -> None:
    assert Settings(_env_file=None, storage_url=SecretStr(url)).storage_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "", "s3://", "s3://key:a/b@bucket", "s3://key@bucket", "s3://bucket?endpoint=", "s3://bucket?acl=public",
        "gs://bucket", "file:///uploads",
    ],
)  # fmt: skip
def test_another_storage_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None, storage_url=SecretStr(url))
    assert "s3://bucket/prefix" in str(caught.value)
    assert "a/b" not in str(caught.value)
