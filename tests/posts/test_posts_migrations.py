from datetime import UTC, datetime

from alembic import command
from databases import alembic, settings_for
from sqlalchemy import text

from app.db.session import Database

BEFORE_LIKES, WITH_LIKES = "a5e3916cd8f0", "7b1f4c02ea95"


async def test_likes_come_to_posts_that_were_there(empty_url: str) -> None:
    settings = settings_for(empty_url)
    await alembic(settings, command.upgrade, BEFORE_LIKES)
    database = Database.open(settings)
    async with database.transaction() as session:
        insert = text("INSERT INTO posts (id, title, body, author, created_at) VALUES (:id, 'T', 'B', 'A', :at)")
        at = datetime.now(UTC)
        is_sqlite = settings.database.is_sqlite
        for number in range(3):
            row_id = f"{number:032x}"
            await session.execute(insert, {"id": row_id, "at": str(at) if is_sqlite else at})
    await alembic(settings, command.upgrade, WITH_LIKES)
    async with database.transaction() as session:
        assert list(await session.scalars(text("SELECT likes FROM posts"))) == [0, 0, 0]
    await alembic(settings, command.downgrade, BEFORE_LIKES)
    async with database.transaction() as session:
        assert len((await session.execute(text("SELECT * FROM posts"))).all()) == 3
    await database.close()
