"""Passwords as argon2id hashes, made beside the event loop and two at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

# OWASP's floor: 19 MiB and some 40 ms a hash. More would let fewer people log in at once, not keep more out.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))

# What is compared where there is no such user, so that the answer takes as long.
NOBODYS_HASH = hasher.hash("nobody's password")

# More at once would take the processor from everybody else.
_gate = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_gate, hasher.hash, password)


async def verified(password: str, hashed_password: str) -> tuple[bool, str | None]:
    """Whether it is right, and a newer hash where the parameters above have changed since."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_gate, hasher.verify_and_update, password, hashed_password)
