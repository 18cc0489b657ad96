"""The configuration: a dict that can fill itself from files, objects and the environment."""

from __future__ import annotations

import errno
import json
import os
import types
from typing import IO, TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from werkzeug.utils import import_string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .app import Flask

T = TypeVar("T")

# Seconds and counts that Flask doesn't know.
_OWN_NUMBERS = (
    "BACKGROUND_TASK_SHUTDOWN_TIMEOUT", "BODY_TIMEOUT", "MAX_BACKGROUND_THREADS", "MAX_WEBSOCKET_THREADS",
    "MAX_WORKER_THREADS", "REQUEST_TIMEOUT", "RESPONSE_TIMEOUT", "SHUTDOWN_TIMEOUT", "TEARDOWN_WAIT", "WORKER_WAIT",
)  # fmt: skip

# Flask's own: seconds (or a timedelta), bytes and counts.
_FLASKS_NUMBERS = (
    "MAX_CONTENT_LENGTH", "MAX_COOKIE_SIZE", "MAX_FORM_MEMORY_SIZE", "MAX_FORM_PARTS", "PERMANENT_SESSION_LIFETIME",
    "SEND_FILE_MAX_AGE_DEFAULT",
)  # fmt: skip

# What "the file is not there" can look like: no such name, a folder, a path that goes through a file.
_ABSENT = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR})


def check_settings(config: Mapping[str, Any], warn: Callable[[str], object]) -> None:
    """Refuse settings of a type that would fail later, or worse, would not: text from the environment mostly.

    Called once, before the first request.

    :param warn: is told of those of Flask's settings that programs get by with until something uses them.
    :raises TypeError: it names the setting, its value and what it has to be.
    """
    for name in (*_OWN_NUMBERS, *_FLASKS_NUMBERS):
        if isinstance(value := config.get(name), (str, bytes)):
            text = (
                f"app.config[{name!r}] is {value!r}, which is text; it has to be a number. What comes from the"
                " environment or a .env file is text: convert it, with int() or float()."
            )
            if name in _OWN_NUMBERS:
                raise TypeError(text)
            warn(text)
    if isinstance(config.get("SECRET_KEY"), (int, float)):
        # the value isn't shown: it may be meant to be secret
        raise TypeError(
            "app.config['SECRET_KEY'] is a number; it has to be str or bytes. from_prefixed_env() reads values as JSON:"
            " there a key of digits needs double quotes around it."
        )
    if isinstance(config.get("SECRET_KEY_FALLBACKS"), (str, bytes)):
        raise TypeError(
            "app.config['SECRET_KEY_FALLBACKS'] is one text; it has to be a list of keys. Each character of a"
            " text would count as a key."
        )


class ConfigAttribute(Generic[T]):
    """An attribute of the application that lives in its configuration.

    :param name: the key in `app.config`.
    :param get_converter: called with the stored value on each read; its result is the attribute's value.
    """

    def __init__(self, name: str, get_converter: Callable[[Any], T] | None = None) -> None:
        self.name = name
        self.get_converter = get_converter

    @overload
    def __get__(self, obj: None, owner: type[Flask] | None = None) -> Self: ...

    @overload
    def __get__(self, obj: Flask, owner: type[Flask] | None = None) -> T: ...

    def __get__(self, obj: Flask | None, owner: type[Flask] | None = None) -> T | Self:
        if obj is None:
            return self
        value: T = obj.config[self.name]
        return value if self.get_converter is None else self.get_converter(value)

    def __set__(self, obj: Flask, value: Any) -> None:
        obj.config[self.name] = value


class Config(dict[str, Any]):
    """A dict with ways to load it. Only keys in capitals are taken from files and objects.

    Reading and writing are a plain dict's: nothing is converted or looked up elsewhere.

    :param root_path: the folder that relative file names start from.
    :param defaults: what the configuration holds at first.
    """

    def __init__(self, root_path: str | os.PathLike[str], defaults: Mapping[str, Any] | None = None) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Load the Python file that an environment variable names.

        :param variable_name: the environment variable.
        :param silent: return False, instead of raising, when the variable is not set or the file is absent.
        :returns: whether a file was loaded.
        :raises RuntimeError: the variable is not set, or empty.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"No configuration was loaded: the environment variable {variable_name!r} is not set."
            " Set it to the path of a configuration file."
        )

    def from_prefixed_env(self, prefix: str = "FLASK", *, loads: Callable[[str], Any] = json.loads) -> bool:
        """Load every environment variable whose name starts with *prefix* and an underscore.

        The rest of the name is the key. Two underscores lead into a nested dict, which is made
        where there is none: `FLASK_DB__HOST` sets `config["DB"]["HOST"]`. Names are taken in
        sorted order.

        :param prefix: the start of the names, without the underscore.
        :param loads: turns a value's text into the value; where it raises, the text is the value.
        :returns: True.
        :raises TypeError: a name leads into a key that holds something other than a dict.
        """
        start = f"{prefix}_"
        for name in sorted(os.environ):
            if not name.startswith(start):
                continue
            text = os.environ[name]
            try:
                value = loads(text)
            except Exception:
                value = text
            self._set_nested(name, name.removeprefix(start).split("__"), value)
        return True

    def _set_nested(self, variable: str, keys: list[str], value: Any) -> None:
        holder: Any = self
        for depth, key in enumerate(keys[:-1], 1):
            holder = holder.setdefault(key, {})
            if not hasattr(holder, "setdefault"):
                path = "".join(f"[{key!r}]" for key in keys[:depth])
                raise TypeError(
                    f"The environment variable {variable!r} can't be loaded: config{path} is"
                    f" {type(holder).__name__!r}, not a dict. Rename the variable or remove that value."
                )
        holder[keys[-1]] = value

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Run a Python file and take its names in capitals.

        :param filename: the file; a relative name starts from `root_path`.
        :param silent: return False, instead of raising, when the file is absent.
        :returns: whether a file was loaded.
        :raises OSError: the file can't be read.
        """
        file = self._open(filename, "rb", silent)
        if file is None:
            return False
        with file:
            source = file.read()
        module = types.ModuleType("config")
        module.__file__ = file.name
        # Compiled from bytes, so that an encoding line in the file counts.
        exec(compile(source, file.name, "exec"), vars(module))
        self.from_object(module)
        return True

    def from_object(self, obj: object | str) -> None:
        """Take the attributes in capitals of a module, a class or any other object.

        A class is not instantiated: pass an instance if it has properties.

        :param obj: the object, or the dotted name to import it by.
        :raises ImportError: nothing can be imported by that name.
        """
        source = import_string(obj) if isinstance(obj, str) else obj
        for name in dir(source):
            if name.isupper():
                self[name] = getattr(source, name)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Load a file in any format: `config.from_file("config.toml", tomllib.load, text=False)`.

        :param filename: the file; a relative name starts from `root_path`.
        :param load: reads the open file and returns a mapping, of which the keys in capitals are taken.
        :param silent: return False, instead of raising, when the file is absent.
        :param text: open the file as UTF-8 text instead of bytes.
        :returns: whether a file was loaded.
        :raises OSError: the file can't be read.
        """
        file = self._open(filename, "r" if text else "rb", silent)
        if file is None:
            return False
        with file:
            loaded = load(file)
        return self.from_mapping(loaded)

    def from_json(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Load a JSON file: `from_file(filename, json.load)` under its classic name."""
        return self.from_file(filename, json.load, silent=silent)

    def _open(self, filename: str | os.PathLike[str], mode: str, silent: bool) -> IO[Any] | None:
        """Open a file for reading; None when it is absent and that is to be passed over."""
        path = os.path.join(self.root_path, filename)
        try:
            return open(path, mode, encoding=None if "b" in mode else "utf-8")
        except OSError as error:
            if silent and error.errno in _ABSENT:
                return None
            error.strerror = f"The configuration file can't be loaded: {error.strerror}"
            raise

    def from_mapping(self, mapping: Mapping[str, Any] | None = None, **kwargs: Any) -> bool:
        """Take the keys in capitals of a mapping, and those of the keyword arguments over them.

        :returns: True.
        """
        for key, value in {**dict(mapping or {}), **kwargs}.items():
            if key.isupper():
                self[key] = value
        return True

    def get_namespace(self, namespace: str, lowercase: bool = True, trim_namespace: bool = True) -> dict[str, Any]:
        """Return the entries whose key starts with *namespace*, to be passed on as keyword arguments.

        :param namespace: the common start of the keys, such as `"MAIL_"`.
        :param lowercase: put the keys of the result in lower case.
        :param trim_namespace: leave the namespace out of the keys of the result.
        """
        found = {key: value for key, value in self.items() if key.startswith(namespace)}
        if trim_namespace:
            found = {key.removeprefix(namespace): value for key, value in found.items()}
        return {key.lower(): value for key, value in found.items()} if lowercase else found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().__repr__()}>"
