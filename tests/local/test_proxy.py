"""LocalProxy: what it is bound to, what is its own, and what it says while nothing is bound.

That every operation reaches the object is in test_proxy_like_werkzeug.py.
"""

from __future__ import annotations

import collections.abc
import copy
import doctest
import functools
import gc
import inspect
import pickle
import types
import weakref
from contextvars import ContextVar
from unittest import mock

import pytest

from flaskctx.local import Local, LocalProxy, LocalStack


class User:
    """Somebody."""

    def __init__(self, name="Ada"):
        self.name = name


@pytest.fixture
def stack():
    return LocalStack()


@pytest.fixture
def unbound(stack):
    return stack("user")


# What a proxy can be bound to


def test_a_proxy_to_a_function_calls_it_for_every_use():
    names = iter(["ada", "grace"])
    proxy = LocalProxy(lambda: next(names))
    assert proxy.upper() == "ADA"
    assert proxy.upper() == "GRACE"


def test_a_proxy_to_a_function_with_a_name_stands_for_that_attribute():
    assert LocalProxy(lambda: User(), "name") == "Ada"
    assert LocalProxy(lambda: User(), "name").lower() == "ada"


def test_a_proxy_to_a_context_var_reads_it():
    var = ContextVar("user")
    proxy = LocalProxy(var)
    assert not proxy
    var.set("Ada")
    assert proxy == "Ada"


def test_a_proxy_to_a_context_var_with_a_default_is_always_bound():
    assert LocalProxy(ContextVar("user", default="nobody")) == "nobody"


def test_a_proxy_to_a_context_var_with_a_name_stands_for_that_attribute():
    var = ContextVar("user")
    var.set(User())
    assert LocalProxy(var, "name") == "Ada"


def test_a_proxy_to_a_local_needs_a_name():
    local = Local()
    local.user = User()
    assert LocalProxy(local, "user").name == "Ada"
    with pytest.raises(TypeError, match="name"):
        LocalProxy(local)


def test_a_proxy_to_a_stack_stands_for_its_top(stack):
    stack.push(User())
    assert LocalProxy(stack).name == "Ada"


def test_a_proxy_to_a_stack_with_a_name_stands_for_that_attribute_of_the_top(stack):
    stack.push(User())
    assert LocalProxy(stack, "name") == "Ada"


def test_a_proxy_to_a_stack_follows_pushes_and_pops(stack):
    name = LocalProxy(stack, "name")
    stack.push(User("Ada"))
    stack.push(User("Grace"))
    assert name.upper() == "GRACE"
    stack.pop()
    assert name.upper() == "ADA"
    stack.pop()
    assert not name


def test_a_foreign_object_that_can_be_released_is_taken_for_a_local():
    class Foreign:
        user = "Ada"

        def __release_local__(self):
            """Forget."""

    assert LocalProxy(Foreign(), "user").upper() == "ADA"
    assert not LocalProxy(Foreign(), "role")


def test_a_proxy_to_a_proxy_stands_for_the_object():
    inner = LocalProxy(lambda: User)
    assert LocalProxy(inner).name == "Ada"


def test_a_proxy_to_anything_else_is_a_type_error_that_says_what_is_possible():
    with pytest.raises(TypeError, match="'int' object; give it a Local"):
        LocalProxy(5)


def test_proxies_can_be_made_with_type_arguments(unbound, stack):
    assert LocalProxy[int](lambda: 5) + 1 == 6
    assert repr(LocalProxy[User](stack)) == "<LocalProxy unbound>"


def test_arguments_may_be_named(stack):
    stack.push(User())
    assert LocalProxy(local=stack, name="name", unbound_message="nobody") == "Ada"


# What is the proxy's own


def test_get_current_object_returns_the_object_itself():
    user = User()
    proxy = LocalProxy(lambda: user)
    assert proxy._get_current_object() is user
    assert LocalProxy._get_current_object(proxy) is user


def test_an_object_that_answers_everything_does_not_hide_get_current_object():
    target = mock.MagicMock()
    assert LocalProxy(lambda: target)._get_current_object() is target


def test_get_current_object_of_a_proxy_to_a_proxy_is_the_inner_proxy():
    inner = LocalProxy(lambda: 5)
    assert LocalProxy(lambda: inner)._get_current_object() is inner


def test_a_proxy_knows_what_it_was_made_of(stack):
    def find():
        return 1

    assert LocalProxy(stack)._LocalProxy__local is stack
    assert LocalProxy(find)._LocalProxy__local is find


def test_wrapped_is_the_function_that_was_handed_in():
    def find():
        return User()

    assert LocalProxy(find).__wrapped__ is find
    assert inspect.unwrap(LocalProxy(find)) is find


def test_wrapped_of_a_stack_a_local_or_a_variable_is_the_objects(stack):
    @functools.wraps(len)
    def function():
        """Be wrapped."""

    local, var = Local(), ContextVar("var")
    for target, expected in ((function, len), (5, None)):
        stack.push(target)
        local.target = target
        var.set(target)
        for proxy in (stack(), local("target"), LocalProxy(var)):
            assert getattr(proxy, "__wrapped__", None) is expected


def test_name_is_the_name_that_was_handed_in(stack):
    assert stack("user").__name__ == "user"
    stack.push(types.SimpleNamespace(user=len))
    assert stack("user").__name__ == "user"


def test_without_a_name_it_is_the_objects():
    assert LocalProxy(lambda: len).__name__ == "len"
    assert not hasattr(LocalProxy(lambda: 5), "__name__")


def test_a_proxy_is_a_local_proxy_and_an_instance_of_its_objects_class():
    proxy = LocalProxy(lambda: User())
    assert isinstance(proxy, LocalProxy)
    assert isinstance(proxy, User)
    assert issubclass(type(proxy), LocalProxy)
    assert proxy.__class__ is User


def test_the_class_of_a_proxy_looks_like_local_proxy():
    kind = type(LocalProxy(lambda: 5))
    assert (kind.__name__, kind.__qualname__, kind.__module__) == (
        "LocalProxy",
        "LocalProxy",
        LocalProxy.__module__,
    )


def test_a_proxy_has_no_attributes_of_its_own():
    user = User()
    proxy = LocalProxy(lambda: user)
    proxy.role = "admin"
    assert user.role == "admin"
    del proxy.role
    assert not hasattr(user, "role")


def test_assigning_the_class_changes_the_object():
    class Admin(User):
        pass

    user = User()
    proxy = LocalProxy(lambda: user)
    proxy.__class__ = Admin
    assert type(user) is Admin
    assert isinstance(proxy, LocalProxy)


def test_doc_module_and_dict_are_the_objects():
    proxy = LocalProxy(lambda: User())
    assert proxy.__doc__ == "Somebody."
    assert proxy.__module__ == __name__
    assert proxy.__dict__ == vars(proxy) == {"name": "Ada"}


def test_an_error_of_a_property_is_not_taken_for_an_unbound_proxy():
    class Broken:
        @property
        def value(self):
            raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        LocalProxy(lambda: Broken()).value


def test_a_changing_operation_in_place_keeps_the_proxy():
    items = [1]
    proxy = original = LocalProxy(lambda: items)
    proxy += [2]
    assert proxy is original
    assert items == [1, 2]


def test_an_operation_in_place_on_something_unchangeable_gives_the_result():
    number = LocalProxy(lambda: 5)
    number += 1
    assert number == 6
    assert type(number) is int


def test_a_special_method_that_the_object_lacks_is_a_type_error_that_names_it():
    with pytest.raises(TypeError, match="'User', has no __enter__"):
        with LocalProxy(lambda: User()):
            pass


def test_proxies_on_both_sides_of_an_operator():
    a, b = LocalProxy(lambda: 6), LocalProxy(lambda: 3)
    assert (a + b, a - b, a / b, divmod(a, b), a > b, a == b, [a, b] == [6, 3]) == (
        9,
        3,
        2,
        (2, 0),
        True,
        False,
        True,
    )


def test_a_proxy_finds_its_object_in_sets_and_dicts():
    proxy = LocalProxy(lambda: "key")
    assert {"key": 1}[proxy] == 1
    assert proxy in {"key"}


# Copies and pickles


def test_a_copy_is_a_copy_of_the_object():
    items = [[1]]
    proxy = LocalProxy(lambda: items)
    shallow, deep = copy.copy(proxy), copy.deepcopy(proxy)
    assert type(shallow) is type(deep) is list
    assert shallow == deep == items
    assert shallow is not items
    assert shallow[0] is items[0]
    assert deep[0] is not items[0]


def test_a_deep_copy_of_something_that_holds_a_proxy_copies_the_object_once():
    user = User()
    proxy = LocalProxy(lambda: user)
    one, two = copy.deepcopy([proxy, user])
    assert one is two
    assert type(one) is User


@pytest.mark.parametrize("target", [{"a": [1]}, [1, 2], (1,), "text", 5, 1.5, {1, 2}, User("Grace")])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_a_pickle_of_the_object(target, protocol):
    loaded = pickle.loads(pickle.dumps(LocalProxy(lambda: target), protocol))
    assert type(loaded) is type(target)
    assert vars(loaded) == vars(target) if isinstance(target, User) else loaded == target


# Unbound


def test_every_use_of_an_unbound_proxy_is_a_runtime_error(unbound):
    uses = [
        lambda: unbound.name,
        lambda: unbound._get_current_object(),
        lambda: setattr(unbound, "name", 1),
        lambda: delattr(unbound, "name"),
        lambda: unbound(),
        lambda: unbound["a"],
        lambda: "a" in unbound,
        lambda: len(unbound),
        lambda: iter(unbound),
        lambda: unbound + 1,
        lambda: 1 + unbound,
        lambda: unbound < 1,
        lambda: -unbound,
        lambda: int(unbound),
        lambda: str(unbound),
        lambda: f"{unbound}",
        lambda: hash(unbound),
        lambda: copy.copy(unbound),
        lambda: copy.deepcopy(unbound),
        lambda: pickle.dumps(unbound),
        lambda: unbound.__enter__(),
        lambda: aiter(unbound),
        lambda: hasattr(unbound, "name"),
    ]
    for use in uses:
        with pytest.raises(RuntimeError, match="the proxy for 'user' is not bound to an object here"):
            use()


def test_the_message_for_unbound_uses_can_be_chosen(stack):
    for proxy in (
        LocalProxy(stack, "user", unbound_message="log in first"),
        LocalProxy(stack, unbound_message="log in first"),
        LocalProxy(ContextVar("user"), unbound_message="log in first"),
        LocalProxy(Local(), "user", unbound_message="log in first"),
    ):
        with pytest.raises(RuntimeError, match=r"^log in first$"):
            proxy.name


def test_an_unbound_error_has_no_other_error_as_its_cause():
    for proxy in (LocalProxy(ContextVar("user")), Local()("user")):
        with pytest.raises(RuntimeError) as caught:
            proxy.name
        assert caught.value.__suppress_context__


def test_a_function_says_that_nothing_is_bound_by_a_runtime_error():
    def find():
        raise RuntimeError("nobody here")

    proxy = LocalProxy(find)
    assert not proxy
    assert repr(proxy) == "<LocalProxy unbound>"
    assert dir(proxy) == []
    with pytest.raises(RuntimeError, match="nobody here"):
        proxy.name


def test_any_other_error_of_a_function_is_raised():
    def find():
        raise LookupError("broken")

    proxy = LocalProxy(find)
    for use in (bool, repr, dir, str, len):
        with pytest.raises(LookupError, match="broken"):
            use(proxy)


def test_an_unbound_proxy_is_false_empty_and_shows_itself(unbound):
    assert not unbound
    assert repr(unbound) == "<LocalProxy unbound>"
    assert dir(unbound) == []


def test_an_unbound_proxy_equals_only_itself(unbound, stack):
    assert unbound == unbound
    assert (unbound != unbound) is False
    assert unbound != stack("user")
    assert unbound is not None
    assert unbound != None  # noqa: E711


def test_isinstance_works_on_an_unbound_proxy(unbound):
    assert not isinstance(unbound, (User, dict))
    assert not isinstance(unbound, collections.abc.Mapping)
    assert isinstance(unbound, LocalProxy)
    assert unbound.__class__ is LocalProxy


def test_an_unbound_proxy_has_the_doc_and_module_of_its_class(unbound):
    assert unbound.__doc__ == LocalProxy.__doc__
    assert unbound.__module__ == LocalProxy.__module__


def test_collectors_can_look_at_an_unbound_proxy(unbound):
    assert inspect.unwrap(unbound) is unbound
    assert callable(unbound)
    assert not inspect.isclass(unbound)
    assert not inspect.isfunction(unbound)
    module = types.ModuleType("module")
    module.unbound = unbound
    assert [test.name for test in doctest.DocTestFinder(exclude_empty=False).find(module)] == ["module"]


def test_signature_and_doc_of_the_class_can_be_read():
    assert list(inspect.signature(LocalProxy).parameters) == ["local", "name", "unbound_message"]
    assert LocalProxy.__name__ == "LocalProxy"


# Subclasses


class Shouting(LocalProxy):
    """A proxy with something added."""

    volume = 11

    def __init__(self, word):
        super().__init__(lambda: word)

    def shout(self):
        return self.upper() + "!"

    def upper(self):
        return "LOUD " + self._get_current_object().upper()

    def __len__(self):
        return self.volume


def test_a_subclass_keeps_its_constructor_and_its_names_come_first():
    proxy = Shouting("hello")
    assert (proxy.shout(), proxy.volume, len(proxy)) == ("LOUD HELLO!", 11, 11)
    assert (proxy.lower(), proxy == "hello", proxy.__class__) == ("hello", True, str)
    assert isinstance(proxy, Shouting)
    assert type(proxy).__name__ == "Shouting"


def test_a_subclass_that_forgets_the_constructor_is_told_so():
    class Forgetful(LocalProxy):
        def __init__(self):
            """Bind nothing."""

    with pytest.raises(RuntimeError, match=r"has to call LocalProxy\.__init__"):
        Forgetful() + 1


def test_an_unbound_subclass_shows_its_name(stack):
    class UserProxy(LocalProxy):
        pass

    assert repr(UserProxy(stack)) == "<UserProxy unbound>"
    assert UserProxy(stack).__class__ is UserProxy


def test_a_subclass_with_type_arguments_works_like_any_other(stack):
    class UserProxy(LocalProxy[User]):
        pass

    stack.push(User())
    assert UserProxy(stack).name == "Ada"


# Memory


def test_a_proxy_that_nobody_holds_leaves_nothing_behind(stack):
    gc.collect()
    before = len(LocalProxy.__subclasses__())
    proxies = [stack("user") for _ in range(20)]
    assert len(LocalProxy.__subclasses__()) == before + 20
    del proxies
    gc.collect()
    assert len(LocalProxy.__subclasses__()) == before


def test_a_proxy_does_not_keep_its_object_alive():
    local = Local()
    local.user = User()
    proxy = local("user")
    user = weakref.ref(proxy._get_current_object())
    del local.user
    gc.collect()
    assert user() is None
    assert not proxy
