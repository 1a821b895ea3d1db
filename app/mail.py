"""E-mail: by SMTP where SMTP_URL is set; otherwise on the console, for development."""

import logging
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from app.settings import Settings

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20


async def send(settings: Settings, to: str, subject: str, text: str) -> None:
    """Errors: none. Whom it could not reach is in the log: it is sent behind an answer that has left already."""
    if settings.smtp_url is None:
        _print(settings, to, subject, text)
        return
    message = EmailMessage()
    message["From"] = settings.email_from
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    server = urlsplit(settings.smtp_url.get_secret_value())
    try:
        await aiosmtplib.send(
            message,
            hostname=server.hostname,
            port=server.port,
            username=unquote(server.username) if server.username else None,
            password=unquote(server.password) if server.password else None,
            use_tls=server.scheme == "smtps",
            start_tls=_start_tls(server),
            timeout=TIMEOUT_SECONDS,
        )
    except (aiosmtplib.SMTPException, OSError) as error:
        logger.error("e-mail %r to %s was not sent: %s", subject, to, type(error).__name__)


def _print(settings: Settings, to: str, subject: str, text: str) -> None:
    if settings.environment == "production":  # its links would be in the log, for whoever reads that
        logger.error("e-mail %r to %s was not sent: set SMTP_URL", subject, to)
        return
    print(f"\n--- e-mail to {to}: {subject} ---\n{text}\n---", flush=True)  # noqa: T201 # what a console is for


def _start_tls(server: SplitResult) -> bool | None:
    """None: where the server offers it. A password goes out encrypted or not at all."""
    if server.scheme == "smtps":
        return False
    return True if server.username else None
