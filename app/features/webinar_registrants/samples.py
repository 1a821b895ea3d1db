from datetime import UTC, datetime

from app.features.webinar_registrants.models import WebinarRegistrant

TITLE = "From laptop to production"
DATE = datetime(2027, 2, 10, 17, tzinfo=UTC)
ROWS = [
    ("ada@example.com", "Ada Lovelace", "Analytical Engines", "registered", "marketing"),
    ("grace@example.com", "Grace Hopper", "Navy Yard", "confirmed", "sales"),
    ("edsger@example.com", "Edsger Dijkstra", None, "registered", None),
    ("barbara@example.com", "Barbara Liskov", "Argus Systems", "cancelled", "sales"),
]


def samples() -> list[WebinarRegistrant]:
    return [
        WebinarRegistrant(
            email=email,
            name=name,
            company=company,
            status=status,
            group=group,
            webinar_title=TITLE,
            webinar_date=DATE,
            registration_date=datetime(2026, 11, day, 12, tzinfo=UTC),
        )
        for day, (email, name, company, status, group) in enumerate(ROWS, start=2)
    ]
