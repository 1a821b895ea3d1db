from datetime import UTC, datetime, timedelta
from random import Random

from app.features.products.models import Product

FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)
ROWS = [
    ("Field notebook", "Dotted, 96 pages, lies flat.", 1290, "stationery", True),
    ("Fountain pen", "Steel nib, refillable.", 4500, "stationery", True),
    ("Desk lamp", "Warm to cold light, dimmable.", 7900, "furniture", True),
    ("Standing desk", "Two motors, 70 to 120 cm.", 54900, "furniture", False),
    ("Mechanical keyboard", "Quiet switches, 75 %.", 12900, "computing", True),
    ("Vertical mouse", "For the right hand.", 6400, "computing", True),
    ("USB-C dock", "Two screens, 90 W.", 18900, "computing", False),
    ("Noise-cancelling headphones", "Thirty hours.", 24900, "audio", True),
    ("Desk microphone", "Cardioid, with stand.", 9900, "audio", True),
    ("Coffee mug", None, 1500, "kitchen", True),
    ("Tea kettle", "0.8 l, holds the temperature.", 8900, "kitchen", True),
    ("Mystery box", "Nobody knows.", 2000, None, True),
]


def samples() -> list[Product]:
    return [
        Product(
            name=name,
            description=description,
            price_cents=price_cents,
            category=category,
            in_stock=in_stock,
            created_at=FIRST + timedelta(hours=number),
            updated_at=FIRST + timedelta(hours=number),
        )
        for number, (name, description, price_cents, category, in_stock) in enumerate(ROWS)
    ]


def many(random: Random, start: int, count: int) -> list[dict[str, object]]:
    """Rows number start and following, for tables of any size."""
    return [
        {
            "name": f"{random.choice(ROWS)[0]} {number}",
            "price_cents": random.randrange(100, 100_000),
            "category": random.choice(ROWS)[3],
            "in_stock": random.random() < 0.9,
        }
        for number in range(start, start + count)
    ]
