"""Compares what the installed Flask has under a name with what flaskctx has there.

    for name, difference in differences("flask.Config", flask.Config, flaskctx.Config): ...

yields names such as `flask.Config.from_file`, and what is different there. Compared are: whether the name is there,
what can be done with it (call it, set it), parameters (names, order, kinds, defaults), values, and base classes from
other packages. What flaskctx has in addition, names or optional parameters, is no difference.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import typing
from inspect import Parameter
from pathlib import Path

import click

THEIRS, OURS = "flask", "flaskctx"
MISSING = "is missing"


class _Annotated:
    name: str


_OF_EVERY_CLASS = {*dir(_Annotated), "__abstractmethods__", "__orig_bases__", "__slotnames__", "__slots__"}


# Names


def modules():
    """Return the names of all modules of Flask."""
    folder = Path(importlib.import_module(THEIRS).__file__).parent
    parts = [(THEIRS, *file.relative_to(folder).with_suffix("").parts) for file in sorted(folder.rglob("*.py"))]
    return [".".join(names).removesuffix(".__init__") for names in parts if names[-1] != "__main__"]


def defined_names(module):
    """Return the dotted names of what a module of Flask defines for others: not what it imports, no type variables."""
    found = importlib.import_module(module)
    names = {name: None for name in _bound(ast.parse(inspect.getsource(found)).body) if not name.startswith("_")}
    return [
        f"{module}.{name}"
        for name in names
        if hasattr(found, name) and not isinstance(vars(found)[name], typing.TypeVar)
    ]


def _bound(statements):
    for node in statements:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name()):
                yield node.target.id
            case ast.If() | ast.Try():
                yield from _bound([*node.body, *node.orelse])


def shortcuts():
    """Return what Flask's package imports from its own modules: pairs of the short and the full dotted name."""
    tree = ast.parse(inspect.getsource(importlib.import_module(THEIRS)))
    return [
        (f"{THEIRS}.{alias.asname or alias.name}", ".".join(filter(None, (THEIRS, node.module, alias.name))))
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    ]


def resolve(name):
    """Return the object that a dotted name leads to, importing modules on the way, or MISSING."""
    parts = name.split(".")
    found = importlib.import_module(parts[0])
    for position, part in enumerate(parts[1:], 2):
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = importlib.import_module(".".join(parts[:position]))
            except ImportError:
                return MISSING
    return found


def counterpart(name):
    """Return flaskctx's object for a dotted name of Flask's, or MISSING."""
    return resolve(OURS + name.removeprefix(THEIRS))


# Differences


def differences(name, theirs, ours):
    """Yield (name, difference) for an object of Flask's and flaskctx's, and for its attributes if it's a class."""
    what = kind(theirs)
    if ours is theirs:
        return
    if ours is MISSING:
        yield name, MISSING
    elif what != kind(ours):
        yield name, f"is a {what}, not a {kind(ours)}"
    elif what in _COMPARISONS:
        yield from _COMPARISONS[what](name, theirs, ours)


def kind(value):
    """Tell what can be done with the value of a name."""
    if hasattr(type(value), "_get_current_object"):
        return "proxy"
    if typing.get_origin(value) is not None:
        return "type"
    if inspect.isclass(value):
        return "class"
    if isinstance(value, click.Command):
        return "command"
    if isinstance(value, dict):
        return "dict"
    if isinstance(value, (staticmethod, classmethod)):
        return type(value).__name__
    if callable(value) and hasattr(value, "__name__"):
        return "function"
    return "property" if hasattr(type(value), "__get__") else "value"


def _value_differences(name, theirs, ours):
    if not same_value(theirs, ours):
        yield name, f"is {shown(theirs)}, not {shown(ours)}"


def _dict_differences(name, theirs, ours):
    for key, value in theirs.items():
        yield from differences(f"{name}[{key}]", value, ours.get(key, MISSING))


def _property_differences(name, theirs, ours):
    if _can_be_set(theirs) and not _can_be_set(ours):
        yield name, "can be set, and not here"


def _can_be_set(descriptor):
    return type(descriptor) is not property or descriptor.fset is not None


def _class_differences(name, theirs, ours):
    foreign = [base for base in theirs.__mro__ if not base.__module__.startswith(THEIRS)]
    lacking = [base.__qualname__ for base in foreign if base not in ours.__mro__]
    if lacking:
        yield f"{name}.__bases__", f"lack {', '.join(lacking)}"
    yield from _signature_differences(name, theirs, ours)
    for attribute in sorted(set(dir(theirs)) - _OF_EVERY_CLASS):
        if not attribute.startswith("_") or attribute.endswith("__"):
            yield from _attribute_differences(f"{name}.{attribute}", theirs, ours, attribute)


def _attribute_differences(name, theirs, ours, attribute):
    theirs, ours = (inspect.getattr_static(cls, attribute, MISSING) for cls in (theirs, ours))
    if kind(theirs) == kind(ours) == "class":
        # a default such as Flask.request_class; the class itself is compared under its own name
        yield from _value_differences(name, theirs, ours)
    elif {kind(theirs), kind(ours)} == {"property", "value"}:
        yield from _property_differences(name, theirs, ours)
    else:
        yield from differences(name, theirs, ours)


def _signature_differences(name, theirs, ours):
    try:
        signatures = inspect.signature(_function(theirs)), inspect.signature(_function(ours))
    except ValueError:
        return  # written in C, and Python doesn't know
    wanted, found = (list(signature.parameters.values()) for signature in signatures)
    if not _takes_all_calls(wanted, found):
        yield name, f"takes ({', '.join(map(_text, wanted))}), not ({', '.join(map(_text, found))})"


def _function(value):
    return value.__func__ if isinstance(value, (staticmethod, classmethod)) else value


def _takes_all_calls(wanted, found):
    """Tell whether functions with these parameters take all calls that those take, and mean the same by them."""
    by_name = {parameter.name: parameter for parameter in found}
    by_position = [parameter for parameter in found if parameter.kind <= Parameter.POSITIONAL_OR_KEYWORD]
    kinds = {parameter.kind for parameter in found}
    matched = set()
    for position, parameter in enumerate(wanted):
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            if parameter.kind not in kinds:
                return False
            continue
        if parameter.kind is Parameter.KEYWORD_ONLY:
            match = by_name.get(parameter.name)
        else:
            match = by_position[position] if position < len(by_position) else None
        if match is None or not _same_default(parameter.default, match.default):
            return False
        if parameter.kind is not Parameter.POSITIONAL_ONLY and (
            match.name != parameter.name or match.kind is Parameter.POSITIONAL_ONLY
        ):
            return False
        matched.add(match.name)
    return all(
        parameter.name in matched or parameter.default is not parameter.empty or parameter.kind in _VARIABLE
        for parameter in found
    )


def _same_default(theirs, ours):
    return shown(theirs) == shown(ours) or (_only_says_not_given(theirs) and _only_says_not_given(ours))


def _only_says_not_given(default):
    return not (default is None or callable(default) or isinstance(default, (bool, int, str, tuple)))


_VARIABLE = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _text(parameter):
    return str(parameter.replace(annotation=parameter.empty))


def _command_differences(name, theirs, ours):
    options = {option.name: option for option in ours.params}
    for option in theirs.params:
        if option.name not in options:
            yield f"{name}.{option.name}", MISSING
        else:
            yield from _value_differences(f"{name}.{option.name}", _usage(option), _usage(options[option.name]))


def _usage(option):
    default = option.default if isinstance(option.default, (bool, int, str)) else None
    return (*option.opts, *option.secondary_opts, default)


_COMPARISONS = {
    "class": _class_differences,
    "function": _signature_differences,
    "staticmethod": _signature_differences,
    "classmethod": _signature_differences,
    "property": _property_differences,
    "dict": _dict_differences,
    "command": _command_differences,
    "value": _value_differences,
}
"""How to compare, by kind. A type or a proxy has to be there, that's all."""


def same_value(theirs, ours):
    """Tell whether a value is the same; a class may be one derived from Flask's default."""
    if inspect.isclass(theirs):
        return issubclass(ours, theirs) or ours.__qualname__ == theirs.__qualname__
    return theirs == ours or shown(theirs) == shown(ours)


def shown(value):
    """Return a value's text, without what is different between two packages and between two objects."""
    text = re.sub(r" at 0x\w+| from '.*?'", "", repr(value))
    return re.sub(rf"\b{OURS}\.[\w.]*\b(\w+)", r"\1", text.replace(f"{THEIRS}.", f"{OURS}."))
