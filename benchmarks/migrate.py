"""CPU of whole commands on SQLite, against a Python that does nothing."""

import os
import resource
import subprocess
import sys
import tempfile
from statistics import median

from app.settings import ROOT

ROUNDS = 7
OPPMAN = [sys.executable, str(ROOT / "oppman.py"), "migrate"]


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


with tempfile.TemporaryDirectory() as folder:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/benchmark.db"}
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "upgrade, nothing to do": [*OPPMAN, "upgrade"],
        "status --fast": [*OPPMAN, "status", "--fast"],
    }
    cpu_seconds([*OPPMAN, "upgrade"], environment)
    rounds = [{name: cpu_seconds(command, environment) for name, command in commands.items()} for _ in range(ROUNDS)]

for name in commands:
    times = [found[name] / found["python -c pass"] for found in rounds]
    seconds = median(found[name] for found in rounds)
    print(f"{name:<24} {seconds:5.2f} s, {median(times):5.1f} times an empty Python")
