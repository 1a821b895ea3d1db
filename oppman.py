#!/usr/bin/env python3
"""The door to this service: python3 oppman.py --help

Until the environment stands, only the standard library is there, and Python may be too old for anything but this page.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "oppman: Python 3.11 or newer is needed, this is %d.%d: "  # noqa: UP031 - an f-string would be a syntax error
        "install a newer one and run it by its name, for example python3.12 oppman.py start" % sys.version_info[:2]
    )

from app.cli import environment

environment.enter(sys.argv[1:])

from app.cli.main import main

if __name__ == "__main__":  # worker processes import this page again
    main()
