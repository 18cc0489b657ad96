"""The classic way to choose how JSON is written and read: `json_encoder` and `json_decoder` of apps and blueprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..globals import _request_ctx_stack

if TYPE_CHECKING:
    from ..app import Flask


class CodecAttribute:
    """An attribute that holds a class for `json.dumps` or `json.loads`, on applications and blueprints.

    Today's way is `app.json`. `DefaultJSONProvider` honours the attribute if it is set.

    :param standard: the value where none is set.
    """

    used = False
    """Whether anything in this process has set one. Until then `codec` needn't be asked."""

    standards: ClassVar[set[type | None]] = set()

    def __init__(self, standard: type | None) -> None:
        self._standard = standard
        self.standards.add(standard)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, obj: object | None, owner: type | None = None) -> Any:
        return self._standard if obj is None else vars(obj).get(self._name, self._standard)

    def __set__(self, obj: object, value: Any) -> None:
        vars(obj)[self._name] = value
        CodecAttribute.used = True

    @classmethod
    def notice(cls, scaffold: type) -> None:
        """See whether a subclass of `Flask` or `Blueprint` has been written with a class of its own."""
        if any(isinstance(vars(scaffold).get(name), type) for name in ("json_encoder", "json_decoder")):
            cls.used = True


def codec(app: Flask, name: str) -> type | None:
    """Return the class that the blueprint of the current request has set, or else the application; None without.

    :param name: `json_encoder` or `json_decoder`.
    """
    top = _request_ctx_stack.top
    blueprint = app.blueprints.get(top.request.blueprint or "") if top is not None and app == top.app else None
    found = getattr(blueprint, name, None) or getattr(app, name)
    # today's Flask ignores these attributes, so that programs set them to what is no class
    return found if isinstance(found, type) and found not in CodecAttribute.standards else None
