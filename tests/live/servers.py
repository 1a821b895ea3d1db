"""PostgreSQL with TLS, a standby, PgBouncer: made on the spot, gone afterwards."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from sqlalchemy import URL, make_url

from app.db import local_postgres
from app.db.local_postgres import LocalPostgres

HBA = """
hostssl   all         certified 127.0.0.1/32 cert
hostnossl all         certified 127.0.0.1/32 reject
host      all         all       127.0.0.1/32 scram-sha-256
host      replication all       127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Certificates:
    """Files of a CA made on the spot, of another CA, and of a client."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    @property
    def other_root(self) -> Path:
        return self.folder / "other.pem"

    @property
    def revoked(self) -> Path:
        return self.folder / "crl.pem"

    @property
    def empty_crl(self) -> Path:
        return self.folder / "empty-crl.pem"

    @property
    def client(self) -> Path:
        return self.folder / "client.pem"

    @property
    def client_key(self) -> Path:
        return self.folder / "client.key"

    @property
    def locked_key(self) -> Path:
        return self.folder / "locked.key"


KEY_PASSWORD = "key-password"


def make_certificates(folder: Path) -> Certificates:
    files = Certificates(folder)
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(files.root))
    other.cert_pem.write_to_path(str(files.other_root))
    server = authority.issue_cert("localhost")
    server.private_key_pem.write_to_path(str(folder / "server.key"))
    server.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    client = authority.issue_cert(common_name="certified")
    client.private_key_pem.write_to_path(str(files.client_key))
    client.cert_chain_pems[0].write_to_path(str(files.client))
    key = serialization.load_pem_private_key(client.private_key_pem.bytes(), None)
    locked = serialization.BestAvailableEncryption(KEY_PASSWORD.encode())
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    files.locked_key.write_bytes(key.private_bytes(*formats, locked))
    serial = x509.load_pem_x509_certificate(server.cert_chain_pems[0].bytes()).serial_number
    files.revoked.write_bytes(_revocations(authority, serial))
    files.empty_crl.write_bytes(_revocations(authority, None))
    for path in folder.iterdir():
        path.chmod(0o600 if path.suffix == ".key" else 0o644)
    return files


def _revocations(authority: trustme.CA, serial: int | None) -> bytes:
    now = datetime.now(UTC)
    certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    builder = x509.CertificateRevocationListBuilder().issuer_name(certificate.subject)
    builder = builder.last_update(now - timedelta(hours=1)).next_update(now + timedelta(days=1))
    if serial is not None:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(minutes=1))
        builder = builder.add_revoked_certificate(revoked.build())
    key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]


@contextmanager
def postgresql_with_tls() -> Iterator[tuple[LocalPostgres, Certificates]]:
    program = (local_postgres.find_binaries() or Path()) / "postgres"
    if program.exists() and b"SSL_CTX_new" not in program.read_bytes():
        pytest.skip("this machine's PostgreSQL is built without TLS: install Debian's postgresql")
    folder = Path(tempfile.mkdtemp(prefix="fastopp-tls-"))
    folder.chmod(0o755)
    try:
        files = make_certificates(folder)
        (folder / "hba.conf").write_text(HBA)
        if local_postgres._is_root():
            shutil.chown(folder / "server.key", local_postgres._server_user())
        configuration = (
            f"ssl = on\nssl_cert_file = '{folder}/server.pem'\nssl_key_file = '{folder}/server.key'\n"
            f"ssl_ca_file = '{files.root}'\nhba_file = '{folder}/hba.conf'\n"
            "wal_level = replica\nmax_wal_senders = 4\nhot_standby = on\n"
        )
        with local_postgres.throwaway(configuration) as server:
            yield server, files
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def standby_of(primary: LocalPostgres) -> Iterator[LocalPostgres]:
    """A copy that follows the primary, ready for reads."""
    folder = Path(tempfile.mkdtemp(prefix="fastopp-standby-"))
    standby = LocalPostgres(folder)
    try:
        for name in ("password", "port"):
            shutil.copy(primary.folder / name, folder / name)
        if local_postgres._is_root():
            folder.chmod(0o755)
            shutil.chown(folder, local_postgres._server_user())
        port = (primary.folder / "port").read_text()
        command = [standby._program("pg_basebackup"), "-h", "127.0.0.1", "-p", port, "-U", local_postgres.USER]
        command += ["-D", str(folder / "data"), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        subprocess.run(command, env=primary.environment, check=True, capture_output=True, **standby._as_user)
        standby.start(local_postgres._free_port())
        yield standby
    finally:
        if standby.is_running():
            standby.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def pgbouncer(server: LocalPostgres, *, connections: int) -> Iterator[URL]:
    """PgBouncer in transaction mode in front of that server."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not program:
        pytest.skip("there is no pgbouncer on this machine: install Debian's pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="fastopp-pgbouncer-"))
    url = make_url(server.url)
    port = local_postgres._free_port()
    (folder / "users.txt").write_text(f'"{url.username}" "{url.password}"\n')
    (folder / "pgbouncer.ini").write_text(f"""
[databases]
* = host=127.0.0.1 port={url.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 300
""")
    user = {}
    if local_postgres._is_root():
        user = {"user": local_postgres._server_user()}
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user["user"])
    log = (folder / "log").open("wb")
    process = subprocess.Popen([program, "-q", str(folder / "pgbouncer.ini")], stdout=log, stderr=log, **user)  # type: ignore[call-overload]
    try:
        _wait_for(port)
        yield url.set(port=port)
    finally:
        process.terminate()
        process.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("pgbouncer does not start")
