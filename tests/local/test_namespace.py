"""Local: attributes that belong to the current context."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar, copy_context

import pytest

from flaskctx.local import Local, LocalProxy, get_ident, release_local


@pytest.fixture
def local():
    return Local()


def test_an_attribute_that_was_set_can_be_read(local):
    local.user = "Ada"
    assert local.user == "Ada"


def test_an_attribute_can_be_set_again(local):
    local.user = "Ada"
    local.user = "Grace"
    assert local.user == "Grace"


def test_a_missing_attribute_is_an_attribute_error_that_names_it(local):
    with pytest.raises(AttributeError, match="user"):
        local.user


def test_a_missing_attribute_beside_others_is_an_attribute_error(local):
    local.user = "Ada"
    assert not hasattr(local, "role")
    assert getattr(local, "role", "none") == "none"


def test_an_attribute_can_hold_none(local):
    local.user = None
    assert local.user is None


def test_a_deleted_attribute_is_gone(local):
    local.user = "Ada"
    del local.user
    assert not hasattr(local, "user")


def test_deleting_a_missing_attribute_is_an_attribute_error_that_names_it(local):
    with pytest.raises(AttributeError, match="user"):
        del local.user


def test_iteration_gives_names_and_values(local):
    local.a, local.b = 1, 2
    assert sorted(local) == [("a", 1), ("b", 2)]


def test_iteration_over_an_empty_local_gives_nothing(local):
    assert list(local) == []


def test_attributes_may_be_set_during_iteration(local):
    local.a, local.b = 1, 2
    for name, value in local:
        setattr(local, name + name, value)
    assert sorted(dict(local)) == ["a", "aa", "b", "bb"]


def test_release_forgets_all_attributes(local):
    local.a = 1
    release_local(local)
    assert list(local) == []
    assert not hasattr(local, "a")


def test_a_released_local_can_be_used_again(local):
    local.a = 1
    local.__release_local__()
    local.b = 2
    assert list(local) == [("b", 2)]


def test_two_locals_never_mix(local):
    other = Local()
    local.a, other.a = 1, 2
    assert (local.a, other.a) == (1, 2)


def test_a_local_can_stand_on_a_context_var_that_is_handed_in():
    var = ContextVar("mine")
    local = Local(var)
    local.a = 1
    assert var.get() == {"a": 1}


def test_setting_never_changes_the_dict_that_is_there_already():
    var = ContextVar("mine")
    local = Local(var)
    local.a = 1
    before = var.get()
    local.b = 2
    del local.a
    assert before == {"a": 1}


def test_each_local_is_a_local_and_says_so(local):
    assert isinstance(local, Local)
    assert type(local).__name__ == "Local"
    assert type(local).__module__ == Local.__module__


# Calls


def test_a_call_gives_a_proxy_to_the_named_attribute(local):
    user = local("user")
    local.user = "Ada"
    assert isinstance(user, LocalProxy)
    assert user.upper() == "ADA"


def test_a_proxy_to_an_attribute_that_is_not_set_is_unbound(local):
    assert not local("user")
    with pytest.raises(RuntimeError, match="user"):
        local("user").upper()


def test_a_call_takes_the_message_for_unbound_uses(local):
    with pytest.raises(RuntimeError, match=r"^log in first$"):
        local("user", unbound_message="log in first").name


# __storage__ and __ident_func__


def test_old_style_storage_look_up_evaluates(local):
    local.user = "Ada"
    assert local.__storage__[local.__ident_func__()]["user"] == "Ada"


def test_storage_shows_only_the_identity_that_runs(local):
    local.user = "Ada"
    assert list(local.__storage__) == [get_ident()]


def test_storage_is_empty_when_nothing_is_set(local):
    assert get_ident() not in local.__storage__
    local.user = "Ada"
    del local.user
    assert len(local.__storage__) == 0


def test_storage_cannot_be_written_to_by_mistake(local):
    local.user = "Ada"
    with pytest.raises(TypeError):
        local.__storage__[get_ident()]["user"] = "Grace"
    with pytest.raises(TypeError):
        local.__storage__[1] = {}


def test_the_ident_function_can_be_assigned(local):
    local.__ident_func__ = lambda: "me"
    local.user = "Ada"
    assert local.__storage__["me"]["user"] == "Ada"
    assert list(local) == [("user", "Ada")]


def test_an_assigned_ident_function_is_the_same_in_all_contexts(local):
    copy_context().run(setattr, local, "__ident_func__", lambda: "me")
    assert local.__ident_func__() == "me"


# Isolation


def test_a_thread_starts_without_attributes_and_keeps_its_own(local):
    local.user = "Ada"
    seen = []

    def work():
        seen.append(hasattr(local, "user"))
        local.user = "Grace"
        seen.append(local.user)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, "Grace"]
    assert local.user == "Ada"


def test_a_copied_context_sees_what_was_set_and_keeps_changes_to_itself(local):
    local.user = "Ada"
    context = copy_context()
    local.user = "Linus"
    context.run(setattr, local, "role", "admin")
    assert context.run(getattr, local, "user") == "Ada"
    assert not hasattr(local, "role")


def test_release_in_a_copied_context_leaves_the_original(local):
    local.user = "Ada"
    copy_context().run(release_local, local)
    assert local.user == "Ada"


async def test_child_tasks_start_with_the_attributes_and_do_not_disturb_each_other(local):
    local.user = "parent"

    async def child(name):
        seen = [local.user]
        local.user = name
        await asyncio.sleep(0)
        return [*seen, local.user]

    assert await asyncio.gather(child("a"), child("b")) == [["parent", "a"], ["parent", "b"]]
    assert local.user == "parent"


# Subclasses


class Session(Local):
    kind = "session"

    def __init__(self, owner):
        super().__init__()
        self.owner = owner

    @property
    def shout(self):
        return self.owner.upper()

    def __getattr__(self, name):
        return f"no {name}"


def test_a_subclass_keeps_its_constructor_methods_properties_and_fallback():
    session = Session("Ada")
    assert (session.kind, session.shout, session.age) == ("session", "ADA", "no age")
    assert isinstance(session, Session)


def test_a_proxy_to_a_subclass_asks_it_for_the_attribute():
    session = Session("Ada")
    assert session("shout") == "ADA"
    assert session("age") == "no age"
