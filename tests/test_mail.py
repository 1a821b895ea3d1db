"""E-mail by SMTP, to a server that the test plays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from databases import settings_for

from app import mail


class Mailbox:
    """An SMTP server that keeps what it gets: as much of RFC 5321 as a client needs."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.talks: set[asyncio.Task[None]] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk
        self.talks.add(talk)
        writer.write(b"220 mail.example ready\r\n")
        while line := (await reader.readline()).decode():
            if line.startswith("DATA"):
                writer.write(b"354 go on\r\n")
                self.letters.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"250 fine\r\n")
            if line.startswith("QUIT"):
                break
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    server = await asyncio.start_server(mailbox.talk, "127.0.0.1", 0)
    async with server:
        yield mailbox, server.sockets[0].getsockname()[1]
        await asyncio.gather(*mailbox.talks)


async def test_a_letter_arrives() -> None:
    async with serving() as (mailbox, port):
        settings = settings_for("sqlite://", smtp_url=f"smtp://127.0.0.1:{port}", email_from="us@example.com")
        await mail.send(settings, "ada@example.com", "Grüße", "Erste Zeile\nZweite Zeile")
    [letter] = mailbox.letters
    assert "To: ada@example.com" in letter
    assert "From: us@example.com" in letter


async def test_a_password_is_not_sent_without_tls(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (mailbox, port):
        settings = settings_for("sqlite://", smtp_url=f"smtp://us:canary-4711@127.0.0.1:{port}")
        await mail.send(settings, "ada@example.com", "Hello", "text")
    assert mailbox.letters == []
    assert "was not sent" in caplog.text
    assert "canary" not in caplog.text


async def test_a_server_that_is_away_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await mail.send(settings_for("sqlite://", smtp_url="smtp://127.0.0.1:1"), "ada@example.com", "Hello", "secret link")
    assert "'Hello' to ada@example.com was not sent" in caplog.text
    assert "secret link" not in caplog.text


async def test_without_a_server_production_prints_no_link(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for("sqlite://").model_copy(update={"environment": "production"})
    await mail.send(settings, "ada@example.com", "Hello", "secret link")
    assert "set SMTP_URL" in caplog.text
    assert "secret link" not in caplog.text + capsys.readouterr().out
