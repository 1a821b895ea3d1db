"""How the schema changes: Alembic does the work; what stands here makes it safe to deploy.

environment.py   what alembic/env.py calls: configuration, connection, one transaction a step
deploy.py        waiting for the database, the deployer's lock, trying again
revisions.py     which revisions there are, and where a database is among them
journal.py       who applied what, when, how long it took
snapshot.py      the schema as the database has it, to compare with another
rehearsal.py     every revision up, down and up again over rows
plan.py          what pending revisions would lock, rewrite and read
lint.py          what may hurt, by squawk and by observation
losses.py        what a revision takes away
orphans.py       rows that point to nothing, on SQLite
renames.py       what went and what came, and is one
portable.py      new revisions that are right on both databases
review.py        what a person looks at in a new revision
rebase.py        one line of revisions behind another
squash.py        one revision in place of many
backfill.py      moving much data, outside of migrations
operations.py    for revisions: indexes without a lock, extensions, constraints over large tables
"""
