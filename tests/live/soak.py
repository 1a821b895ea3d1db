"""One of several processes that read and write through a pooler: python soak.py URL TRANSACTIONS.

Prints how many transactions were right, wrong, or failed.
"""

import asyncio
import json
import sys
from collections import Counter

from databases import settings_for
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.errors import DatabaseUnavailable
from app.db.session import Database

TASKS = 10
ROWS = 100


async def transact(database: Database, number: int) -> str:
    row = number % ROWS
    try:
        async with database.transaction() as session:
            amount = await session.scalar(text("SELECT amount FROM soak WHERE id = :id"), {"id": row})
            word = await session.scalar(text("SELECT word FROM soak WHERE id = :id"), {"id": row})
            await session.execute(text("UPDATE soak SET seen = seen + 1 WHERE id = :id"), {"id": row})
    except (DatabaseUnavailable, SQLAlchemyError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return "failed"
    return "right" if (amount, word) == (row * 100, f"word {row}") else "wrong"


async def main(url: str, transactions: int) -> None:
    database = Database.open(settings_for(url, database_pooled="true", database_pool_timeout_seconds=30))
    outcomes: Counter[str] = Counter()
    numbers = iter(range(transactions))

    async def work() -> None:
        for number in numbers:
            outcomes[await transact(database, number)] += 1

    await asyncio.gather(*(work() for _ in range(TASKS)))
    await database.close()
    print(json.dumps(outcomes))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
