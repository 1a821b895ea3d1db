"""On the running service: who sends slowly, or goes away, holds nobody up."""

import socket
from contextlib import ExitStack
from pathlib import Path

from door import free_port
from httpx import Client
from serving import serving

BEGINNING = (
    "POST /webinars HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 100\r\n\r\na="
)


def test_slow_visitors_hold_nobody_up(checkout: Path) -> None:
    port = free_port()
    with serving(checkout, "start", port), Client(base_url=f"http://127.0.0.1:{port}", timeout=3) as client:
        with ExitStack() as slow:
            for _ in range(20):  # more than the pool has connections
                connection = slow.enter_context(socket.create_connection(("127.0.0.1", port)))
                connection.sendall(BEGINNING.format(port=port).encode())
            webinar = client.get("/api/webinars").json()[0]["id"]
            wanted = {"webinar_id": webinar, "name": "Ada", "email": "ada@example.com"}
            assert client.post("/api/webinar-registrants", json=wanted).status_code == 201
        assert client.get("/health/ready").status_code == 200
    assert "unhandled" not in (checkout.parent / "output").read_text()
