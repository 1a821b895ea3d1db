"""Twice the text must take about twice the time, whatever the text: a ratio near 4 would be a square."""

import time
from contextlib import suppress

from app.db.url import DatabaseUrlError, resolve

SHAPES = ["?a", "@", "/", "[", "${", "{{", "<", "[pass", "%", ",h", ":", "&a=1", "ü", "?a=b@", "/@"]
HALF, ROUNDS = 4000, 30


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with suppress(DatabaseUrlError):
            resolve(text)
        best = min(best, time.perf_counter() - started)
    return best


for shape in SHAPES:
    short, long = (f"postgresql://u:p@h{shape * (length // len(shape))}" for length in (HALF, 2 * HALF))
    times = seconds(short), seconds(long)
    print(f"{shape:>6}  {times[1] * 1000:6.2f} ms for {len(long)} characters, {times[1] / times[0]:.1f} times")
