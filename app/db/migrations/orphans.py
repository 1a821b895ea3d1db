"""Rows that point to nothing after an upgrade on SQLite, where foreign keys are off meanwhile."""

from collections import Counter

from sqlalchemy import Connection

from app.db.engine import SQLITE_BEGIN
from app.db.migrations.deploy import tell
from app.errors import UserError

# A table, and what its rows point to. Not their rowid: a table that is made anew numbers its own.
Orphans = Counter[tuple[str, tuple[str, ...]]]

BY_KEY = 'SELECT "table", fkid, max(rowid), count(*) FROM pragma_foreign_key_check GROUP BY "table", fkid'
COLUMNS = 'SELECT "from" FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq'
BY_VALUE = """
    SELECT count(*), {columns} FROM pragma_foreign_key_check(?) AS orphan
    JOIN "{table}" AS child ON child.rowid = orphan.rowid WHERE orphan.fkid = ? GROUP BY {columns}"""


class OrphanedRows(UserError):
    """A migration on SQLite would leave rows that point to nothing; it is rolled back."""


def refuse(connection: Connection) -> None:
    """Look at all rows, in the transaction that has changed some. Those that pointed to nothing before stop nobody.

    Errors: OrphanedRows.
    """
    after = _find(connection)
    if not after:
        return  # nearly always; and then it does not matter how it was before
    made = after - _find_before(connection)
    if made:
        raise OrphanedRows(f"{made.total()} rows would point to nothing (in {_tables(made)}); nothing was changed")
    tell(f"{after.total()} rows point to nothing (in {_tables(after)}), as they did before: mend or delete them")


def _find_before(connection: Connection) -> Orphans:
    # Another connection reads what is committed, beside the one that writes.
    with connection.engine.connect().execution_options(**{SQLITE_BEGIN: "DEFERRED"}) as reader:
        return _find(reader)


def _find(connection: Connection) -> Orphans:
    found: Orphans = Counter()
    for table, key, rowid, rows in connection.exec_driver_sql(BY_KEY).all():
        if rowid is None:  # a table WITHOUT ROWID: its orphans are counted, and not told apart
            found[table, ()] += rows
            continue
        names = connection.exec_driver_sql(COLUMNS, (table, key)).scalars()
        sql = BY_VALUE.format(table=table, columns=", ".join(f'child."{name}"' for name in names))
        for count, *values in connection.exec_driver_sql(sql, (table, key)):
            found[table, tuple(map(str, values))] += count
    return found


def _tables(orphans: Orphans) -> str:
    return ", ".join(sorted({table for table, _ in orphans}))
