from secrets import token_urlsafe

import typer

app = typer.Typer(add_completion=False)


def new_secret() -> str:
    """64 characters, 384 random bits."""
    return token_urlsafe(48)


@app.command(epilog="Example: python3 oppman.py secret")
def secret() -> None:
    """Print a new SECRET_KEY."""
    print(new_secret())
