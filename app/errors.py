"""The errors that a person can mend, and how often there were some."""

from collections import Counter
from typing import ClassVar

# By kind: url_format, driver, tls, dns, refused, timeout, auth, missing, busy, lost. Metrics read it.
failures: Counter[str] = Counter()


class UserError(Exception):
    """Its message is one line for the person at the keyboard: the thing, the reason, the way out; never a secret."""

    exit_code: ClassVar[int] = 1  # of oppman.py
