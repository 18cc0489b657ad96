"""What the lifecycle's source may do: await its own steps and `call(...)`, and leave calling functions to that.

These tests read the source. They would fail if a step awaited anything else (a server's loop, a lock, a user's
coroutine), or if a function of the user were called anywhere but in `bridge/call.py`.
"""

from __future__ import annotations

import ast
import re

import pytest

REGISTRIES = {
    # attributes from which the lifecycle gets the user's functions
    "view_functions",
    "before_first_request_funcs",
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
    "url_value_preprocessors",
    "error_handler_spec",
    "_find_error_handler",
    "_after_functions",
    "_after_request_functions",
    "receivers_for",
}

SESSION_METHODS = {"open_session", "save_session"}

AWAITED = re.compile("Awaitable|Coroutine")

CALL_METHODS = {"shielded", "acquire"}
"""What a `Call` offers beside being called."""

SERVING = ("lifecycle", "bridge", "wsgi", "asgi")


def in_package(modules, *packages):
    return [module for module in modules.values() if module.name.split(".")[0] in packages]


@pytest.fixture(scope="session")
def steps(modules):
    """The names of the lifecycle's own coroutine functions, and of functions that return one's coroutine."""
    return {
        node.name
        for module in in_package(modules, "lifecycle")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef)
        or (isinstance(node, ast.FunctionDef) and node.returns and AWAITED.match(ast.unparse(node.returns)))
    }


# -- awaiting ----------------------------------------------------------------------------------------------------


def is_call_or_step(awaited, steps):
    """Tell whether an awaited expression is `call(...)`, `call.shielded(...)`, or one of the lifecycle's steps."""
    if not isinstance(awaited, ast.Call):
        return False
    function = awaited.func
    if isinstance(function, ast.Name):
        return function.id == "call" or function.id in steps
    if isinstance(function, ast.Subscript):
        return ast.unparse(function.value) == "NATIVE"
    if isinstance(function, ast.Attribute):
        if ast.unparse(function.value) == "call":
            return function.attr in CALL_METHODS
        return function.attr in steps and "steps" in ast.unparse(function.value).lower()
    return False


def test_steps_await_nothing_but_call_and_one_another(modules, steps):
    others = [
        f"{module.path}:{node.lineno} {ast.unparse(node)}"
        for module in in_package(modules, "lifecycle")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Await) and not is_call_or_step(node.value, steps)
    ]
    assert others == []


def test_steps_have_no_async_with_and_no_async_for(modules):
    found = [
        f"{module.path}:{node.lineno}"
        for module in in_package(modules, "lifecycle")
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.AsyncWith, ast.AsyncFor)) or (isinstance(node, ast.comprehension) and node.is_async)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("await call(hook)", True),
        ("await call.shielded(hook)", True),
        ("await preprocess_request(call, context)", True),
        ("await NATIVE[name](call, context)", True),
        ("await NATIVE_STEPS.preprocess_request(call, context)", True),
        ("await hook()", False),
        ("await call.finish(awaitable)", False),
        ("await asyncio.sleep(0)", False),
        ("await awaitable", False),
        ("await app.preprocess_request()", False),
    ],
)
def test_the_rule_itself(source, allowed):
    awaited = ast.parse(source, mode="eval").body.value
    assert is_call_or_step(awaited, {"preprocess_request"}) is allowed


# -- calling -----------------------------------------------------------------------------------------------------


class UserFunctions(ast.NodeVisitor):
    """Follows, within one function, the names that hold functions of the user, and notes where one is called."""

    def __init__(self):
        self.names = set()
        self.calls = []

    def holds(self, node):
        """Tell whether an expression gives functions of the user, or something that contains them."""
        return any(
            (isinstance(part, ast.Attribute) and part.attr in REGISTRIES)
            or (isinstance(part, ast.Name) and part.id in self.names)
            for part in ast.walk(node)
        )

    def learn(self, target, value):
        if self.holds(value) and not is_call_of_call(value):
            self.names.update(name.id for name in ast.walk(target) if isinstance(name, ast.Name))

    def visit_For(self, node):
        self.learn(node.target, node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node):
        self.learn(node.target, node.iter)
        self.generic_visit(node)

    def visit_Assign(self, node):
        for target in node.targets:
            self.learn(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.learn(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node):
        self.learn(node.target, node.value)
        self.generic_visit(node)

    def visit_Call(self, node):
        function = node.func
        is_user_function = (
            (isinstance(function, ast.Name) and function.id in self.names)
            or (isinstance(function, ast.Subscript) and self.holds(function))
            or (isinstance(function, ast.Call) and self.holds(function.func))
            or (
                isinstance(function, ast.Attribute)
                and function.attr in SESSION_METHODS
                and "session_interface" in ast.unparse(function.value)
            )
        )
        if is_user_function:
            self.calls.append(node.lineno)
        self.generic_visit(node)


def is_call_of_call(node):
    """Tell whether an expression is `await call(...)`: what comes out is a result, not a function."""
    return isinstance(node, ast.Await)


def calls_of_user_functions(tree):
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            visitor = UserFunctions()
            # twice: a name may be learnt below the place where it is used, in a loop
            visitor.visit(function)
            visitor.calls.clear()
            visitor.visit(function)
            yield from visitor.calls


def test_functions_from_the_registries_are_called_nowhere_but_through_call(modules):
    found = [
        f"{module.path}:{line}"
        for module in in_package(modules, *SERVING)
        for line in sorted(set(calls_of_user_functions(module.tree)))
    ]
    assert found == []


def test_one_file_alone_calls_functions_that_it_is_handed(modules):
    """Everywhere in `bridge` and the lifecycle a user's function is a parameter or variable named `function`."""
    callers = {
        module.path
        for module in in_package(modules, *SERVING)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "function"
    }
    assert callers == {"bridge/call.py"}


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("for hook in app.before_request_funcs.get(name, ()):\n  hook()", True),
        ("for hook in app.before_request_funcs.get(name, ()):\n  await call(hook)", False),
        ("app.view_functions[rule.endpoint](**view_args)", True),
        ("await call(app.view_functions[rule.endpoint], **view_args)", False),
        ("view = app.view_functions[rule.endpoint]\nview()", True),
        ("handler = app._find_error_handler(error, blueprints)\nreturn handler(error)", True),
        ("handler = app._find_error_handler(error, blueprints)\nreturn await call(handler, error)", False),
        ("rv = await call(app.view_functions[rule.endpoint])\nrv.close()", False),
        ("for receiver in signal.receivers_for(app):\n  receiver(app)", True),
        ("functions = [f for name in names for f in registry.teardown_request_funcs[name]]\nfunctions[0]()", True),
        ("app.session_interface.open_session(app, request)", True),
        ("await call(app.session_interface.open_session, app, request)", False),
    ],
)
def test_the_rule_about_calls_itself(source, is_found):
    lines = "\n".join(f"  {line}" for line in source.splitlines())
    tree = ast.parse(f"async def step():\n{lines}")
    assert bool(list(calls_of_user_functions(tree))) is is_found
