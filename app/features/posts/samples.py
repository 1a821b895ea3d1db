from datetime import UTC, datetime
from random import Random

from app.features.posts.models import Post

ROWS = [
    ("Hello", "This row came with the repository.", "Ada", 3),
    ("One driver", "The service and its migrations share it.", "Grace", 5),
    ("Nothing is lost", "A commit comes before its answer.", "Barbara", 8),
]


def samples() -> list[Post]:
    return [
        Post(title=title, body=body, author=author, likes=likes, created_at=datetime(2026, 11, day, 8, tzinfo=UTC))
        for day, (title, body, author, likes) in enumerate(ROWS, start=2)
    ]


def many(random: Random, start: int, count: int) -> list[dict[str, object]]:
    """Rows number start and following, for tables of any size."""
    return [
        {
            "title": f"{random.choice(ROWS)[0]} {number}",
            "body": " ".join(random.choice(ROWS)[1] for _ in range(3)),
            "author": random.choice(ROWS)[2],
            "likes": random.randrange(100),
        }
        for number in range(start, start + count)
    ]
