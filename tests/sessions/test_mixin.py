"""SessionMixin: what a session has wherever it is stored."""

import pytest

from flaskctx.sessions import SessionMixin


class Stored(dict, SessionMixin):
    """The least that a session of one's own has to be."""


@pytest.fixture
def stored():
    return Stored()


def test_a_store_that_cannot_tell_is_always_saved(stored):
    assert stored.modified is True


def test_it_is_neither_new_nor_accessed_until_the_store_says_so(stored):
    assert stored.new is False
    assert stored.accessed is False


def test_permanent_is_kept_in_the_data(stored):
    assert stored.permanent is False
    stored.permanent = 1
    assert stored == {"_permanent": True}
    assert stored.permanent is True
    stored.permanent = None
    assert stored == {"_permanent": False}
