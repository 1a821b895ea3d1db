"""The schema as the database itself has it, to compare with another one.

Autogenerate asks what Alembic can render. This asks the catalog, so it also sees the texts of CHECKs, the conditions
and expressions of indexes, labels of enums, computed columns, triggers and views. Two databases are compared that went
different ways: one by the revisions, one from the models; or the real one, and one by the revisions that it is at.
"""

import re
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, MetaData

from app.db.migrations import environment, revisions, throwaway
from app.db.migrations.throwaway import BACKENDS, Backend
from app.settings import Settings

POSTGRESQL = {
    "column": """
        SELECT c.relname || '.' || a.attname,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                         'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, ''),
                         nullif(a.attgenerated, ''))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
          AND NOT a.attisdropped AND c.oid NOT IN (extended)""",
    "constraint": """
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
          AND conrelid <> 0 AND conrelid NOT IN (extended)""",
    "index": """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = current_schema()::regnamespace AND indrelid NOT IN (extended)""",
    "enum": """
        SELECT typname, string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum
        JOIN pg_type ON pg_type.oid = enumtypid
        WHERE typnamespace = current_schema()::regnamespace AND enumtypid NOT IN (extended) GROUP BY typname""",
    "trigger": """
        SELECT tgrelid::regclass || '.' || tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal AND tgrelid NOT IN (extended)""",
    "view": """
        SELECT relname, pg_get_viewdef(oid) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('v', 'm') AND oid NOT IN (extended)""",
}
EXTENDED = "SELECT objid FROM pg_depend WHERE deptype = 'e'"  # an extension's own, which no revision describes
# What a revision can make, and models cannot say. On SQLite it is in the one catalog there is.
BEYOND_MODELS = {
    "extension": "SELECT extname, '' FROM pg_extension WHERE extname <> 'plpgsql'",
    "function": """
        SELECT oid::regprocedure::text, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')""",
    "sequence": "SELECT sequencename, data_type::text FROM pg_sequences WHERE schemaname = current_schema()",
}
SQLITE = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND sql IS NOT NULL"
OWN = ("alembic_version", "migration_log", "backfill_progress")  # made by the migrations themselves

Snapshot = dict[str, str]  # what it is and its name -> how it is defined


def take(connection: Connection, *, beyond_models: bool = False) -> Snapshot:
    queries = POSTGRESQL | (BEYOND_MODELS if beyond_models else {})
    rows = _postgresql(connection, queries) if connection.dialect.name == "postgresql" else _sqlite(connection)
    return {name: definition for name, definition in rows if not any(own in name for own in OWN)}


def drift(metadata: MetaData) -> list[str]:
    """Where the revisions make another schema than these models describe, on SQLite or PostgreSQL."""
    with throwaway.databases() as make:
        return [line for backend in BACKENDS for line in _drift_on(backend, make, metadata)]


def _drift_on(backend: Backend, make: Callable[[Backend], Settings], metadata: MetaData) -> list[str]:
    migrated, modelled = make(backend), make(backend)
    throwaway.migrate(migrated)
    throwaway.create_all(modelled, metadata)
    found = [environment.on_connection(settings, take) for settings in (migrated, modelled)]
    return [f"{backend}: {line}" for line in differences(*found)]


def changed_by_hand(settings: Settings) -> list[str]:
    """Where this database is not what the revisions make that it is at. It is only read."""
    real = environment.on_connection(settings, take)
    with throwaway.databases() as make:
        made = make("sqlite" if settings.migration_database.is_sqlite else "postgresql")
        for revision in environment.on_connection(settings, revisions.current):
            throwaway.migrate(made, revision)
        return differences(real, environment.on_connection(made, take))


def differences(ours: Snapshot, wanted: Snapshot) -> list[str]:
    """A line for each thing that differs: what is missing, what is too much, what is another."""
    lines = [f"missing: {name}: {wanted[name]}" for name in sorted(wanted.keys() - ours.keys())]
    lines += [f"too much: {name}: {ours[name]}" for name in sorted(ours.keys() - wanted.keys())]
    both = sorted(ours.keys() & wanted.keys())
    return lines + [f"differs: {name}: {ours[name]} / {wanted[name]}" for name in both if ours[name] != wanted[name]]


def _postgresql(connection: Connection, queries: dict[str, str]) -> Iterator[tuple[str, str]]:
    for kind, sql in queries.items():
        for name, definition in connection.exec_driver_sql(sql.replace("(extended)", f"({EXTENDED})")):
            yield f"{kind} {name}", definition or ""


def _sqlite(connection: Connection) -> Iterator[tuple[str, str]]:
    for kind, name, sql in connection.exec_driver_sql(SQLITE).all():
        if kind != "table":
            yield f"{kind} {name}", _plain(sql)
            continue
        # Part by part: the order of columns and constraints depends on the way that a table came to be.
        for part in _parts(_plain(sql)):
            yield f"table {name}: {part}", ""


def _plain(sql: str) -> str:
    """One spelling: blanks, quotes where none are needed, and letter case outside of literals."""
    pieces = re.split(r"('(?:[^']|'')*')", sql)
    for number in range(0, len(pieces), 2):
        piece = re.sub(r'"(\w+)"', r"\1", pieces[number]).lower()
        pieces[number] = re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", piece))
    # SQLite gives a column its own type of a number, in quotes or not.
    return re.sub(r"default '(-?\d+(?:\.\d+)?)'", r"default \1", "".join(pieces).strip())


def _parts(sql: str) -> list[str]:
    body, depth, parts, start, quoted = sql[sql.index("(") + 1 : sql.rindex(")")], 0, [], 0, False
    for position, character in enumerate(body):
        quoted ^= character == "'"
        if quoted:
            continue
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(body[start:position])
            start = position + 1
    return [part.strip() for part in [*parts, body[start:]]]
