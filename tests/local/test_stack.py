"""LocalStack: a stack of its own for each context."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar, copy_context

import pytest

from flaskctx.local import LocalProxy, LocalStack, Node, get_ident, release_local


@pytest.fixture
def stack():
    return LocalStack()


# push, pop, top


def test_a_new_stack_is_empty(stack):
    assert stack.top is None
    assert stack.top_node is None
    assert list(stack.nodes()) == []


def test_top_is_what_was_pushed_last(stack):
    stack.push("a")
    stack.push("b")
    assert stack.top == "b"


def test_push_returns_all_values_bottom_first(stack):
    assert stack.push("a") == ["a"]
    assert stack.push("b") == ["a", "b"]
    assert stack.push("c") == ["a", "b", "c"]


def test_changing_the_list_that_push_returned_changes_nothing(stack):
    stack.push("a")
    values = stack.push("b")
    values.clear()
    assert stack.top == "b"
    assert stack.push("c") == ["a", "b", "c"]


def test_pop_returns_the_top_and_shows_what_was_below(stack):
    stack.push("a")
    stack.push("b")
    assert stack.pop() == "b"
    assert stack.top == "a"
    assert stack.pop() == "a"
    assert stack.top is None


def test_pop_on_an_empty_stack_is_none(stack):
    assert stack.pop() is None
    stack.push("a")
    stack.pop()
    assert stack.pop() is None


def test_falsy_values_are_values(stack):
    stack.push(0)
    stack.push("")
    assert stack.top == ""
    assert (stack.pop(), stack.pop()) == ("", 0)


def test_release_empties_the_stack(stack):
    stack.push("a")
    stack.push("b")
    release_local(stack)
    assert stack.top is None
    assert stack.push("c") == ["c"]


def test_two_stacks_never_mix(stack):
    other = LocalStack()
    stack.push("a")
    assert other.top is None
    other.push("b")
    assert (stack.pop(), other.pop()) == ("a", "b")


def test_two_stacks_on_variables_of_the_same_name_never_mix():
    one, two = LocalStack(ContextVar("requests")), LocalStack(ContextVar("requests"))
    one.push("a")
    assert two.top is None


def test_a_stack_can_stand_on_a_context_var_that_is_handed_in():
    var = ContextVar("mine")
    stack = LocalStack(var)
    node = stack.push_node("a")
    assert stack._var is var
    assert var.get() is node


# Nodes


def test_push_node_returns_the_node_of_the_value(stack):
    below = stack.push_node("a")
    node = stack.push_node("b")
    assert isinstance(node, Node)
    assert (node.value, node.below, node.closed) == ("b", below, False)
    assert below.below is None
    assert stack.top_node is node


def test_a_node_has_no_other_attributes(stack):
    node = stack.push_node("a")
    with pytest.raises(AttributeError):
        node.other = 1


def test_nodes_come_top_first(stack):
    stack.push("a")
    stack.push("b")
    assert [node.value for node in stack.nodes()] == ["b", "a"]


def test_push_and_pop_never_change_a_node(stack):
    node = stack.push_node("a")
    stack.push("b")
    stack.pop()
    stack.pop()
    stack.push("c")
    assert (node.value, node.below, node.closed) == ("a", None, False)


def test_set_node_enters_a_chain_and_leaves_it(stack):
    stack.push("a")
    node = stack.push_node("b")
    stack.set_node(None)
    assert stack.top is None
    stack.set_node(node)
    assert stack.push("c") == ["a", "b", "c"]


def test_the_variable_holds_the_uppermost_node(stack):
    node = stack.push_node("a")
    assert stack._var.get() is node
    stack.pop()
    assert stack._var.get() is None


# Closed nodes


def test_top_skips_closed_nodes(stack):
    below = stack.push_node("a")
    stack.push_node("b").closed = True
    assert stack.top == "a"
    assert stack.top_node is below


def test_nodes_skip_closed_ones_anywhere(stack):
    stack.push_node("a").closed = True
    stack.push("b")
    stack.push_node("c").closed = True
    stack.push("d")
    assert [node.value for node in stack.nodes()] == ["d", "b"]


def test_pop_takes_the_uppermost_value_that_is_not_closed(stack):
    stack.push("a")
    stack.push("b")
    stack.push_node("c").closed = True
    assert stack.pop() == "b"
    assert stack.top == "a"


def test_a_stack_of_closed_nodes_is_empty(stack):
    stack.push_node("a").closed = True
    assert stack.top is None
    assert stack.pop() is None
    assert not stack()


def test_push_lists_and_keeps_only_what_is_not_closed(stack):
    stack.push("a")
    stack.push_node("b").closed = True
    assert stack.push("c") == ["a", "c"]
    assert stack.top_node.below.value == "a"


def test_push_lists_no_closed_values_from_the_middle(stack):
    stack.push("a")
    middle = stack.push_node("b")
    stack.push("c")
    middle.closed = True
    assert stack.push("d") == ["a", "c", "d"]
    assert stack.push_node("e").below.value == "d"


def test_closing_is_seen_by_every_copy_of_the_chain(stack):
    node = stack.push_node("a")
    context = copy_context()
    node.closed = True
    assert context.run(lambda: stack.top) is None


# Calls


class Context:
    def __init__(self, request=None):
        self.request = request


def test_a_call_gives_a_proxy_to_the_top(stack):
    top = stack()
    stack.push([1])
    stack.push([1, 2])
    assert isinstance(top, LocalProxy)
    assert len(top) == 2
    stack.pop()
    assert len(top) == 1


def test_a_proxy_to_the_top_of_an_empty_stack_is_unbound(stack):
    assert not stack()
    with pytest.raises(RuntimeError, match="not bound"):
        stack().anything


def test_a_call_takes_the_message_for_unbound_uses(stack):
    with pytest.raises(RuntimeError, match=r"^nobody here$"):
        stack(unbound_message="nobody here").x
    with pytest.raises(RuntimeError, match=r"^no request$"):
        stack("request", "no request").method


def test_a_call_with_a_name_gives_a_proxy_to_that_attribute_of_the_top(stack):
    request = stack("request")
    stack.push(Context("GET"))
    assert request == "GET"
    assert request.lower() == "get"


def test_a_dotted_name_leads_further_down(stack):
    stack.push(Context(Context("GET")))
    assert stack("request.request").lower() == "get"


def test_an_attribute_of_the_top_that_is_none_is_still_bound(stack):
    request = stack("request")
    stack.push(Context(None))
    assert request._get_current_object() is None
    assert request.__class__ is type(None)


def test_an_attribute_that_the_top_lacks_is_an_attribute_error(stack):
    stack.push(Context())
    with pytest.raises(AttributeError, match="session"):
        stack("session").x
    with pytest.raises(AttributeError, match="session"):
        stack("session")._get_current_object()


def test_a_pushed_none_is_no_object(stack):
    stack.push(None)
    for proxy in (stack(), stack("real")):
        assert not proxy
        with pytest.raises(RuntimeError, match="not bound"):
            proxy.x


def test_proxies_skip_closed_nodes(stack):
    request, top = stack("request"), stack()
    stack.push(Context("GET"))
    stack.push_node(Context("POST")).closed = True
    assert request.lower() == "get"
    assert request == "GET"
    assert top.request == "GET"


def test_a_subclass_may_have_its_own_idea_of_the_top():
    class Loud(LocalStack):
        @property
        def top(self):
            value = super().top
            return value if value is None else value.upper()

    stack = Loud()
    assert not stack()
    stack.push("a")
    assert stack() == "A"
    assert stack("__class__") is not None
    assert stack("upper")() == "A"


# _local


def test_local_stack_is_a_fresh_list_bottom_first(stack):
    stack.push("a")
    stack.push("b")
    values = stack._local.stack
    assert values == ["a", "b"]
    values.clear()
    assert stack._local.stack == ["a", "b"]


def test_local_of_an_empty_stack_has_no_stack(stack):
    assert getattr(stack._local, "stack", None) is None
    stack.push("a")
    stack.pop()
    with pytest.raises(AttributeError, match="stack"):
        stack._local.stack


def test_local_storage_has_the_identity_as_long_as_something_is_pushed(stack):
    assert get_ident() not in stack._local.__storage__
    stack.push("a")
    assert stack._local.__storage__[stack._local.__ident_func__()]["stack"] == ["a"]
    stack.pop()
    assert get_ident() not in stack._local.__storage__


def test_releasing_local_empties_the_stack(stack):
    stack.push("a")
    release_local(stack._local)
    assert stack.top is None


def test_the_ident_function_is_one_for_the_stack_and_its_local(stack):
    assert stack.__ident_func__ is stack._local.__ident_func__ is get_ident
    stack.__ident_func__ = lambda: "one"
    assert stack._local.__ident_func__() == "one"
    stack._local.__ident_func__ = lambda: "two"
    assert stack.__ident_func__() == "two"
    stack.push("a")
    assert list(stack._local.__storage__) == ["two"]


# Copies of the chain


def test_a_plain_thread_starts_with_an_empty_stack(stack):
    stack.push("a")
    seen = []

    def work():
        seen.append(stack.top)
        seen.append(stack.push("b"))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None, ["b"]]
    assert stack.top == "a"


def test_a_copied_context_keeps_the_chain_as_it_was(stack):
    stack.push("a")
    stack.push("b")
    context = copy_context()
    stack.pop()
    stack.push("c")
    assert context.run(lambda: stack._local.stack) == ["a", "b"]
    assert context.run(stack.push, "d") == ["a", "b", "d"]
    assert stack._local.stack == ["a", "c"]


def test_pop_in_a_copied_context_leaves_the_original(stack):
    stack.push("a")
    assert copy_context().run(stack.pop) == "a"
    assert stack.top == "a"


def test_many_threads_may_hold_copies_of_one_chain(stack):
    stack.push("base")
    start = threading.Barrier(8)
    failures = []

    def work(number):
        start.wait()
        for turn in range(200):
            if stack.push((number, turn)) != ["base", (number, turn)] or stack.pop() != (number, turn):
                failures.append((number, turn))  # noqa: PERF401

    threads = [threading.Thread(target=copy_context().run, args=(work, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stack._local.stack == ["base"]


async def test_child_tasks_build_on_the_chain_they_started_with(stack):
    stack.push("parent")

    async def child(name):
        stack.push(name)
        await asyncio.sleep(0)
        return stack._local.stack

    assert await asyncio.gather(child("a"), child("b")) == [["parent", "a"], ["parent", "b"]]
    assert stack.top == "parent"


async def test_what_the_parent_pushes_later_is_not_seen_by_its_child(stack):
    stack.push("first")
    pushed = asyncio.Event()

    async def child():
        await pushed.wait()
        return stack.top

    task = asyncio.create_task(child())
    stack.push("second")
    pushed.set()
    assert await task == "first"
