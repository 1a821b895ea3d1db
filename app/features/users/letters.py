"""The e-mails about an account. They go out behind the answer, which so takes as long for an unknown address."""

from app import mail
from app.settings import Settings


async def confirm(settings: Settings, email: str, token: str) -> None:
    await mail.send(
        settings,
        email,
        f"Confirm your address for {settings.app_name}",
        f"Somebody, presumably you, registered with this address. To confirm it, open\n\n"
        f"{settings.base_url}/verify?token={token}\n\nwithin a day. If it was not you, do nothing.",
    )


async def taken(settings: Settings, email: str) -> None:
    await mail.send(
        settings,
        email,
        f"You have an account at {settings.app_name}",
        f"Somebody, presumably you, tried to register with this address, which has an account already.\n"
        f"Log in at {settings.base_url}/login, or choose a new password at {settings.base_url}/reset",
    )


async def reset(settings: Settings, email: str, token: str) -> None:
    await mail.send(
        settings,
        email,
        f"A new password for {settings.app_name}",
        f"Somebody, presumably you, asked for a new password. To choose it, open\n\n"
        f"{settings.base_url}/reset/choose?token={token}\n\nwithin a day. If it was not you, do nothing.",
    )
