"""LocalProxy against Werkzeug's: the same expressions on the same objects give the same outcomes.

Each of EXPRESSIONS runs through ``werkzeug.local.LocalProxy``, through ours, and on the bare object, each
time a fresh one. Compared are the result, or the type of the exception, and the state of the object
afterwards. Ours has to do what Werkzeug's does, or, where Werkzeug's is not faithful, what the object does.
"""

from __future__ import annotations

import copy  # noqa: F401  for the expressions
import inspect
import math  # noqa: F401
import operator
import re
from contextvars import ContextVar
from decimal import Decimal
from fractions import Fraction
from types import FunctionType, ModuleType, SimpleNamespace

import pytest
import werkzeug.local

import flaskctx.local

BINARY = ["add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"]
BINARY += ["lshift", "rshift", "and", "xor", "or"]
IN_PLACE = [name for name in BINARY if name != "divmod"]


class Everything:
    """Answers each special method with the name of the method and what it was given."""

    __name__ = "everything"

    def __init__(self):
        self.state = "fresh"

    def __call__(self, *arguments, **named):
        return "call", arguments, named

    def __repr__(self):
        return "repr of everything"

    def __str__(self):
        return "str of everything"

    def __bytes__(self):
        return b"bytes of everything"

    def __format__(self, specification):
        return f"format {specification!r}"

    def __bool__(self):
        return False

    def __hash__(self):
        return 4321

    def __dir__(self):
        return ["one", "two"]

    def __len__(self):
        return 7

    def __length_hint__(self):
        return 8

    def __getitem__(self, key):
        return "getitem", key

    def __setitem__(self, key, value):
        self.state = "setitem", key, value

    def __delitem__(self, key):
        self.state = "delitem", key

    def __contains__(self, item):
        return item == "here"

    def __iter__(self):
        return iter(["iter"])

    def __next__(self):
        return "next"

    def __reversed__(self):
        return iter(["reversed"])

    def __int__(self):
        return 11

    def __float__(self):
        return 1.5

    def __complex__(self):
        return 2j

    def __index__(self):
        return 3

    def __round__(self, *digits):
        return "round", digits

    def __trunc__(self):
        return "trunc"

    def __floor__(self):
        return "floor"

    def __ceil__(self):
        return "ceil"

    def __neg__(self):
        return "neg"

    def __pos__(self):
        return "pos"

    def __abs__(self):
        return "abs"

    def __invert__(self):
        return "invert"

    def __lt__(self, other):
        return "lt", other

    def __le__(self, other):
        return "le", other

    def __gt__(self, other):
        return "gt", other

    def __ge__(self, other):
        return "ge", other

    def __eq__(self, other):
        return "eq", other

    def __ne__(self, other):
        return "ne", other

    def __enter__(self):
        return "enter"

    def __exit__(self, kind, error, traceback):
        self.state = "exit", kind
        return True

    async def __aenter__(self):
        return "aenter"

    async def __aexit__(self, kind, error, traceback):
        self.state = "aexit", kind
        return True

    def __await__(self):
        return iter_and_return("await")

    def __aiter__(self):
        return AsyncCount(2)

    async def __anext__(self):
        return "anext"

    def __copy__(self):
        return "copy"

    def __deepcopy__(self, memo):
        return "deepcopy"

    def __instancecheck__(self, instance):
        return instance == "instance"

    def __subclasscheck__(self, subclass):
        return subclass is int

    def __getattr__(self, name):
        if name.startswith("dynamic"):
            return f"getattr {name}"
        raise AttributeError(name)


def iter_and_return(value):
    return value
    yield


def answer_with(name):
    def method(self, *arguments):
        return name, *arguments

    return method


for operation in BINARY:
    setattr(Everything, f"__{operation}__", answer_with(operation))
    setattr(Everything, f"__r{operation}__", answer_with(f"r{operation}"))
for operation in IN_PLACE:
    setattr(Everything, f"__i{operation}__", answer_with(f"i{operation}"))


class AsyncCount:
    """An async iterator that counts up to a limit."""

    def __init__(self, limit):
        self.count, self.limit = 0, limit

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.count == self.limit:
            raise StopAsyncIteration
        self.count += 1
        return self.count


class Nothing:
    """Has no special method that object does not have."""


class Bag:
    """Changes itself in place."""

    def __init__(self):
        self.items = []

    def __iadd__(self, other):
        self.items.append(other)
        return self


class Point:
    """A class with a property, a method and a class attribute."""

    kind = "point"

    def __init__(self, x=1):
        self.x = x

    def __eq__(self, other):
        return isinstance(other, Point) and self.x == other.x

    __hash__ = None

    def __repr__(self):
        return f"Point({self.x})"

    @property
    def double(self):
        return self.x * 2

    @property
    def broken(self):
        raise RuntimeError("the property itself fails")

    def move(self, by=1, *, back=False):
        self.x += -by if back else by
        return self


class Manager:
    """A context manager of both kinds, and only that."""

    def __init__(self):
        self.log = []

    def __enter__(self):
        self.log.append("enter")
        return "entered"

    def __exit__(self, kind, error, traceback):
        self.log.append(("exit", kind))

    async def __aenter__(self):
        self.log.append("aenter")
        return "entered"

    async def __aexit__(self, kind, error, traceback):
        self.log.append(("aexit", kind))


def function(a=1, *, b=2):
    """Add."""
    return a + b


async def coroutine_function():
    return "awaited"


SUBJECTS = {
    "int": lambda: 5,
    "negative int": lambda: -3,
    "zero": lambda: 0,
    "float": lambda: 2.5,
    "complex": lambda: 1 + 2j,
    "bool": lambda: True,
    "None": lambda: None,
    "str": lambda: "abc",
    "format str": lambda: "%s!",
    "empty str": lambda: "",
    "bytes": lambda: b"abc",
    "bytearray": lambda: bytearray(b"abc"),
    "list": lambda: [3, 1, 2],
    "tuple": lambda: (1, 2),
    "dict": lambda: {"a": 1, 0: "zero"},
    "set": lambda: {1, 2},
    "frozenset": lambda: frozenset({1}),
    "range": lambda: range(3),
    "iterator": lambda: iter([1, 2]),
    "Decimal": lambda: Decimal("1.25"),
    "Fraction": lambda: Fraction(7, 2),
    "function": lambda: FunctionType(function.__code__, {}, "function", (1,)),
    "lambda": lambda: lambda *arguments: arguments,
    "coroutine function": lambda: FunctionType(coroutine_function.__code__, {}),
    "class": lambda: int,
    "own class": lambda: type("Point", (Point,), {"__slots__": ()}),
    "point": Point,
    "everything": Everything,
    "nothing": Nothing,
    "bag": Bag,
    "manager": Manager,
    "async iterator": lambda: AsyncCount(3),
    "exception": lambda: ValueError("wrong"),
    "namespace": lambda: SimpleNamespace(a=1),
    "module": lambda: ModuleType("module", "Nothing in it."),
}

EXPRESSIONS = [
    # showing
    "repr(p)", "str(p)", "f'{p}'", "f'{p:>5}'", "format(p, '')", "'%s' % (p,)", "'%r' % (p,)", "bytes(p)",
    # truth, equality, order
    "bool(p)", "not p", "p or 'else'", "hash(p) == hash(target)", "{p: 1}[p]",
    "p == p", "p == 5", "5 == p", "p == 'abc'", "p != 5", "p != p", "p == None", "p is None",
    "p in (5, 'abc')",
    "p < 3", "p <= 3", "p > 3", "p >= 3", "3 < p", "p < 'b'", "p < [3]", "p < {1, 2, 3}", "p <= p",
    "p == [3, 1, 2]",
    "max(p, 3)", "sorted([p, p])", "p == Point(1)", "Point(1) == p",
    # attributes
    "p.x", "p.double", "p.broken", "p.kind", "p.dynamic", "p.missing", "hasattr(p, 'x')",
    "hasattr(p, 'missing')",
    "getattr(p, 'missing', 'default')", "p.real", "p.upper()", "p.args", "p.move(2).x",
    "p.move(by=2, back=True)",
    "set_('x', 9)", "set_('new', 9)", "delete('x')", "delete('missing')", "delete('a')", "vars(p)",
    "p.__dict__",
    "dir(p)", "p.__doc__", "p.__class__", "p.__class__.__name__", "p.pi", "p.__qualname__",
    "p.__code__ is not None",
    "p.__len__()", "p.__add__(1)", "p.__eq__(5)", "p.__iter__() is not None",
    # calls
    "p()", "p(1)", "p(1, 2)", "p(4, b=3)", "p('7')", "callable(p)",
    # items and iteration
    "len(p)", "operator.length_hint(p, 99)", "p[0]", "p['a']", "p[-1]", "p[0:2]", "p[99]", "p[int]",
    "put(0, 'new')", "put('k', 'new')", "remove(0)", "remove('a')", "remove('missing')",
    "1 in p", "'a' in p", "'here' in p", "99 not in p", "list(p)", "tuple(p)", "[*p]",
    "list(reversed(p))", "next(p)",
    "next(iter(p))", "dict(p)", "{**p}", "set(p)", "sum(p)", "min(p)", "list(zip(p, p))", "[x for x in p]",
    "function(*p)", "function(**p)", "','.join(p)", "first, *rest = p",
    # numbers
    "int(p)", "float(p)", "complex(p)", "operator.index(p)", "[10, 20, 30, 40][p]", "range(p)", "hex(p)",
    "'x' * p",
    "round(p)", "round(p, 1)", "math.trunc(p)", "math.floor(p)", "math.ceil(p)", "math.sqrt(p)",
    "-p", "+p", "abs(p)", "~p", "pow(p, 2)", "pow(p, 2, 7)", "pow(2, p)", "divmod(p, 2)", "divmod(7, p)",
    # operators, both sides
    *(f"p {sign} {other}" for sign in ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "^", "|", "@")
      for other in ("2", "p", "'b'", "[4]", "{2, 3}", "{'b': 2}", "(3,)", "2.5")),
    *(f"{other} {sign} p" for sign in ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "^", "|", "@")
      for other in ("2", "'b'", "[4]", "{2, 3}", "{'b': 2}", "(3,)", "2.5")),
    # in place
    *(f"p {sign}= {other}" for sign in ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "^", "|", "@")
      for other in ("2", "[4]", "{2, 3}", "{'b': 2}")),
    # classes
    "isinstance(p, int)", "isinstance(p, (str, list))", "isinstance(p, dict)", "isinstance(p, Point)",
    "isinstance(p, Everything)", "isinstance(5, p)", "isinstance('instance', p)", "isinstance(Point(), p)",
    "issubclass(bool, p)", "issubclass(int, p)", "issubclass(str, p)", "isinstance(p, type)",
    "issubclass(p, int)",
    # copies
    "copy.copy(p)", "copy.deepcopy(p)", "copy.copy(p) is target", "copy.deepcopy(p) is target",
    "copy.deepcopy([p, target])",
    # with, await, async
    "enter()", "enter(KeyError)", "run(aenter())", "run(aenter(KeyError))", "run(wait())", "run(collect())",
    "run(next_one())", "run(call_and_wait())",
]  # fmt: skip

UNBOUND = [
    "repr(p)", "str(p)", "f'{p}'", "bool(p)", "dir(p)", "p == 1", "p == p", "p != 1", "p != p", "p is None",
    "p.x", "p.x()", "hasattr(p, 'x')", "set_('x', 1)", "delete('x')", "p.__dict__",
    "p.__name__ == 'request' and p.x",
    "p()", "len(p)", "p[0]", "put(0, 1)", "remove(0)", "1 in p", "p + 1", "1 + p", "-p", "int(p)",
    "isinstance(p, str)", "isinstance(p, dict)", "callable(p)", "p._get_current_object()", "copy.copy(p)",
    "isinstance(1, p)", "issubclass(int, p)", "type(p).__name__", "p.__class__.__name__",
]  # fmt: skip
"""What both answer in the same way while nothing is bound."""


def helpers(p):
    """Return the statements that expressions can't contain, as functions over the proxy *p*."""

    def enter(error=None):
        with p as value:
            if error:
                raise error("inside")
        return value

    async def aenter(error=None):
        async with p as value:
            if error:
                raise error("inside")
        return value

    async def wait():
        return await p

    async def collect():
        return [item async for item in p]

    async def next_one():
        return await anext(p)

    async def call_and_wait():
        return await p()

    return {
        "set_": lambda name, value: setattr(p, name, value),
        "delete": lambda name: delattr(p, name),
        "put": lambda key, value: operator.setitem(p, key, value),
        "remove": lambda key: operator.delitem(p, key),
        "enter": enter,
        "aenter": aenter,
        "wait": wait,
        "collect": collect,
        "next_one": next_one,
        "call_and_wait": call_and_wait,
        "run": run,
    }


def run(coroutine):
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


def is_proxy(value):
    return isinstance(value, werkzeug.local.LocalProxy) or issubclass(type(value), flaskctx.local.LocalProxy)


def outcome(code, proxy, target):
    """Return what happens, in a form that can be compared."""
    scope = {**globals(), **helpers(proxy), "p": proxy, "target": target}
    try:
        exec(code, scope)
    except Exception as error:
        result = "raised", type(error)
    else:
        value = scope["result"] if "result" in scope else scope["p"]
        result = "gave", comparable(value)
        if inspect.iscoroutine(value):
            value.close()
    return result, comparable(getattr(target, "__dict__", None)), comparable(target)


def comparable(value):
    """Return what stays the same in another run with another object: no addresses, no proxies."""
    kind = type(value)
    if is_proxy(value):
        return comparable(value._get_current_object())
    if isinstance(value, dict):
        return kind.__name__, [(comparable(key), comparable(item)) for key, item in value.items()]
    if kind in (list, tuple, set, frozenset):
        return kind.__name__, [comparable(item) for item in value]
    if kind in (int, float, complex, bool, str, bytes, bytearray, type, range, Decimal, Fraction):
        return kind.__name__, re.sub("0x[0-9a-f]+", "somewhere", str(value))
    return kind.__name__


def compiled(expression):
    """Compile an expression to set `result`; a statement changes `p`."""
    try:
        return compile(f"result = ({expression})", expression, "exec")
    except SyntaxError:
        return compile(expression, expression, "exec")


CODE = {expression: compiled(expression) for expression in EXPRESSIONS}


def outcome_with(bind, subject, code):
    """Return the outcome on a fresh object, in whatever *bind* wraps it."""
    target = SUBJECTS[subject]()
    return outcome(code, bind(target), target)


def by_function(library):
    return lambda target: library.LocalProxy(lambda: target)


def by_variable(target):
    var = ContextVar("target")
    var.set(target)
    return flaskctx.local.LocalProxy(var)


def by_local(target):
    local = flaskctx.local.Local()
    local.target = target
    return local("target")


def by_stack(target):
    stack = flaskctx.local.LocalStack()
    stack.push(target)
    return stack()


def by_name(target):
    stack = flaskctx.local.LocalStack()
    stack.push(SimpleNamespace(target=target))
    return stack("target")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_expression_does_what_it_does_with_werkzeugs_proxy_or_with_the_object_itself(subject):
    differences = []
    for expression, code in CODE.items():
        ours = outcome_with(by_function(flaskctx.local), subject, code)
        theirs = outcome_with(by_function(werkzeug.local), subject, code)
        if ours not in (theirs, bare := outcome_with(lambda target: target, subject, code)):
            differences.append(f"{expression}\n  ours   {ours}\n  theirs {theirs}\n  bare   {bare}")
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("bind", [by_variable, by_local, by_stack, by_name])
@pytest.mark.parametrize("subject", ["int", "str", "list", "dict", "function", "point", "everything"])
def test_the_way_a_proxy_is_bound_makes_no_difference(subject, bind):
    differences = []
    for expression, code in CODE.items():
        expected = outcome_with(by_function(flaskctx.local), subject, code)
        found = outcome_with(bind, subject, code)
        if found != expected:
            differences.append(f"{expression}\n  by function {expected}\n  {bind.__name__} {found}")
    assert not differences, "\n".join(differences)


def test_the_unbound_proxy_of_werkzeug_and_ours_agree():
    differences = []
    for expression in UNBOUND:
        found = []
        for library in (flaskctx.local, werkzeug.local):
            proxy = library.LocalStack()("request")
            found.append(outcome(compiled(expression), proxy, None)[0])
        if found[0] != found[1]:
            differences.append(f"{expression}: ours {found[0]}, theirs {found[1]}")
    assert not differences, "\n".join(differences)
