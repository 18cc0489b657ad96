"""What a client can't see, for the tests to read: see `RunningServer.journal`."""

from __future__ import annotations

import os


def note(event, key):
    """Write a line to the file that JOURNAL names; lines of several processes don't mix in a file opened so."""
    with open(os.environ["JOURNAL"], "a") as journal:
        journal.write(f"{event} {key}\n")
