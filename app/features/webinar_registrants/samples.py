from datetime import UTC, datetime, timedelta
from random import Random

from app.db.base import Base
from app.features.webinar_registrants.models import Webinar, WebinarRegistrant

TITLE = "From laptop to production"
DATE = datetime(2030, 2, 6, 17, tzinfo=UTC)  # ahead of us for a while: only what is to come is offered
ROWS = [
    ("ada@example.com", "Ada Lovelace", "Analytical Engines", "confirmed", "marketing", True),
    ("grace@example.com", "Grace Hopper", "Navy Yard", "confirmed", "sales", True),
    ("edsger@example.com", "Edsger Dijkstra", None, "registered", None, False),
    ("barbara@example.com", "Barbara Liskov", "Argus Systems", "cancelled", "sales", False),
]


def samples() -> list[Base]:
    webinars = [
        Webinar(title=TITLE, starts_at=DATE),
        Webinar(title="Migrations that cannot hurt", starts_at=DATE + timedelta(days=14)),
    ]
    registrants = [
        WebinarRegistrant(
            email=email,
            name=name,
            company=company,
            status=status,
            group=group,
            is_public=is_public,
            webinar_title=TITLE,
            webinar_date=DATE,
            registration_date=datetime(2026, 11, day, 12, tzinfo=UTC),
        )
        for day, (email, name, company, status, group, is_public) in enumerate(ROWS, start=2)
    ]
    return [*webinars, *registrants]


def many(random: Random, start: int, count: int) -> list[dict[str, object]]:
    """Rows number start and following, for tables of any size."""
    return [
        {
            "email": f"person{number}@example.com",
            "name": f"{random.choice(ROWS)[1]} {number}",
            "status": random.choice(ROWS)[3],
            "webinar_title": TITLE,
            "webinar_date": DATE,
        }
        for number in range(start, start + count)
    ]
