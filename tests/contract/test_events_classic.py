"""What the classic Flask did with contexts, flaskctx does: the same event logs, see `classic.py`."""

from __future__ import annotations

import pytest

import flaskctx

from .classic import CASES
from .transcripts import World, adapted, transcript


@pytest.mark.parametrize("name", CASES)
def test_classic(name):
    case = CASES[name]
    assert transcript(case, flaskctx, World("wsgi", is_async=False, watches=True)) == case.log
    unwatched = World("wsgi", is_async=True, watches=False)
    assert transcript(case, flaskctx, unwatched) == adapted(case.log, unwatched)
