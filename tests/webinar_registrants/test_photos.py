import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from conftest import client_of
from fastapi import FastAPI
from httpx import AsyncClient, Response
from people import headers_of
from pictures import HOSTILE, picture
from PIL import Image
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession
from webinar_registrants.rows import API, registrant

from app.db.session import Database
from app.features.webinar_registrants.models import WebinarRegistrant
from app.main import create_app
from app.settings import Settings
from app.storage import Storage

PHOTO = picture("JPEG", (60, 40))


def stored(folder: Path) -> list[Path]:
    return [path for path in (folder / "uploads").rglob("*") if path.is_file()]


async def put(
    client: AsyncClient,
    row: WebinarRegistrant,
    headers: dict[str, str],
    content: bytes = PHOTO,
    name: str = "me.jpg",
    kind: str = "image/jpeg",
) -> Response:
    return await client.put(f"{API}/{row.id}/photo", files={"photo": (name, content, kind)}, headers=headers)


async def test_a_photo_is_kept_and_served_as_what_it_is(client: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    headers = await headers_of(session, "marketing")
    assert (await client.get(f"{API}/{row.id}/photo", headers=headers)).status_code == 404
    kept = await put(client, row, headers)
    assert kept.status_code == 200
    served = await client.get(kept.json()["photo_url"], headers=headers)
    assert served.status_code == 200
    assert served.headers["content-type"] == "image/webp"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["content-disposition"] == 'inline; filename="photo.webp"'
    assert served.headers["cache-control"] == "no-store"
    shown = Image.open(BytesIO(served.content))
    assert (shown.format, shown.size) == ("WEBP", (60, 40))


async def test_another_photo_takes_the_place_of_the_first(
    client: AsyncClient, session: AsyncSession, tmp_path: Path
) -> None:
    row = await registrant(session)
    headers = await headers_of(session, "staff")
    first = (await put(client, row, headers)).json()["photo_url"]
    second = (await put(client, row, headers, picture("PNG"))).json()["photo_url"]
    assert first != second
    assert len(stored(tmp_path)) == 1
    assert (await client.delete(f"{API}/{row.id}/photo", headers=headers)).status_code == 204
    assert stored(tmp_path) == []
    assert (await client.get(f"{API}/{row.id}", headers=headers)).json()["photo_url"] is None


async def test_with_a_registrant_its_photo_goes(client: AsyncClient, session: AsyncSession, tmp_path: Path) -> None:
    row = await registrant(session)
    headers = await headers_of(session, "staff")
    await put(client, row, headers)
    assert len(stored(tmp_path)) == 1
    assert (await client.delete(f"{API}/{row.id}", headers=headers)).status_code == 204
    assert stored(tmp_path) == []


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_picture_is_refused_and_not_kept(
    client: AsyncClient, session: AsyncSession, tmp_path: Path, name: str
) -> None:
    row = await registrant(session)
    headers = await headers_of(session, "staff")
    refused = await put(client, row, headers, HOSTILE[name], name, "image/png")
    assert refused.status_code == 415
    assert stored(tmp_path) == []
    assert (await client.get(f"{API}/{row.id}", headers=headers)).json()["photo_url"] is None


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "..\\..\\x.png", "/etc/passwd", "a\0b.png", "x" * 1000, "\u202egnp.exe"]
)
async def test_what_a_file_is_called_counts_for_nothing(
    client: AsyncClient, session: AsyncSession, tmp_path: Path, name: str
) -> None:
    row = await registrant(session)
    response = await put(client, row, await headers_of(session, "staff"), name=name)
    assert response.status_code == 200
    [path] = stored(tmp_path)
    assert path.parent == tmp_path / "uploads/webinar_registrants"
    assert len(path.stem) == 32


async def test_a_hundred_megabytes_are_refused_before_they_are_read(
    client: AsyncClient, session: AsyncSession, tmp_path: Path, settings: Settings
) -> None:
    row = await registrant(session)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
        while sent < 100_000_000:
            sent += 65_536
            yield b"x" * 65_536

    headers = await headers_of(session, "staff") | {"Content-Type": "multipart/form-data; boundary=x"}
    unannounced = await client.put(f"{API}/{row.id}/photo", content=endless(), headers=headers)
    announced = await client.put(
        f"{API}/{row.id}/photo", content=b"x", headers=headers | {"Content-Length": "100000000"}
    )
    assert (unannounced.status_code, announced.status_code) == (413, 413)
    assert sent <= settings.max_upload_bytes + 65_536
    assert stored(tmp_path) == []


async def test_a_photo_may_be_larger_than_other_requests(client: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    content = picture("PNG", (1000, 1000)) + b"x" * 2_000_000
    assert (await put(client, row, await headers_of(session, "staff"), content)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "reads", "writes"),
    [("anonymous", 401, 401), ("user", 403, 403), ("support", 200, 403), ("sales", 404, 403), ("marketing", 404, 404),
     ("staff", 200, 200)],
)  # fmt: skip
async def test_a_photo_is_for_those_who_may_see_the_row(
    client: AsyncClient, session: AsyncSession, tmp_path: Path, kind: str, reads: int, writes: int
) -> None:
    row = await registrant(session, group="support")
    await put(client, row, await headers_of(session, "staff"))
    [before] = stored(tmp_path)
    headers = await headers_of(session, kind)
    assert (await client.get(f"{API}/{row.id}/photo", headers=headers)).status_code == reads
    assert (await put(client, row, headers)).status_code == writes
    assert (stored(tmp_path) == [before]) == (writes != 200)


async def test_a_row_whose_file_is_gone_has_no_photo(
    client: AsyncClient, session: AsyncSession, tmp_path: Path
) -> None:
    row = await registrant(session)
    headers = await headers_of(session, "staff")
    await put(client, row, headers)
    stored(tmp_path)[0].unlink()
    assert (await client.get(f"{API}/{row.id}/photo", headers=headers)).status_code == 404


@pytest.mark.slow
async def test_photos_live_in_a_bucket_too(
    app: FastAPI, client: AsyncClient, session: AsyncSession, bucket_url: str, tmp_path: Path
) -> None:
    app.state.storage = Storage(SecretStr(bucket_url))
    row = await registrant(session)
    headers = await headers_of(session, "staff")
    await put(client, row, headers)
    await session.refresh(row)
    name = row.photo_url or ""
    assert await app.state.storage.get(name) == (await client.get(f"{API}/{row.id}/photo", headers=headers)).content
    await client.delete(f"{API}/{row.id}", headers=headers)
    assert await app.state.storage.get(name) is None
    assert stored(tmp_path) == []


async def test_a_storage_that_is_away_is_said_to_be(
    app: FastAPI, client: AsyncClient, session: AsyncSession, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    app.state.storage = Storage(SecretStr(f"{tmp_path}/file"))
    row = await registrant(session, photo_url="webinar_registrants/x.webp")
    headers = await headers_of(session, "staff")
    for response in (await put(client, row, headers), await client.get(f"{API}/{row.id}/photo", headers=headers)):
        assert response.status_code == 503
        assert response.json()["detail"] == "The files are away."
    # A row can go without its file: that is an orphan then.
    assert (await client.delete(f"{API}/{row.id}", headers=headers)).status_code == 204


async def test_many_photos_at_once_leave_one(own_settings: Settings, own_database: Database, tmp_path: Path) -> None:
    """Each in its own transaction, for real."""
    app = create_app(own_settings)
    app.state.database, app.state.storage = own_database, Storage(SecretStr(f"{tmp_path}/uploads"))
    async with own_database.transaction() as session:
        row = await registrant(session)
        headers = await headers_of(session, "staff")
    async with client_of(app) as client:
        answers = await asyncio.gather(*(put(client, row, headers) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        [path] = stored(tmp_path)
        shown = (await client.get(f"{API}/{row.id}", headers=headers)).json()["photo_url"]
        assert path.stem in shown
