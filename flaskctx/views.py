"""Views as classes: `View` has one method for the request, `MethodView` one for each HTTP method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .bridge.kinds import Chooser, is_async, is_nonblocking, nonblocking
from .globals import current_app, request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .typing import ResponseReturnValue, RouteCallable

    Handler = Callable[..., Any]
    Maker = Callable[[Callable[[], Handler]], Handler]

http_method_funcs = frozenset({"get", "post", "head", "options", "delete", "put", "trace", "patch"})
"""The names under which a `MethodView` defines methods; others count if its `methods` list them."""


class View:
    """A view whose `dispatch_request`, `def` or `async def`, is called with the URL's variables.

    Subclasses override it and register `Subclass.as_view("name")` with `add_url_rule`.
    """

    methods: ClassVar[Collection[str] | None] = None
    """The HTTP methods the rule accepts, unless `add_url_rule` is told; None: GET."""

    provide_automatic_options: ClassVar[bool | None] = None
    """Whether OPTIONS is answered by the framework; None: unless a method `options` is there."""

    decorators: ClassVar[list[Callable[..., Any]]] = []
    """Decorators for the view function, the first one applied first."""

    init_every_request: ClassVar[bool] = True
    """Whether each request gets an instance of its own. Where False, instances hold no request's data."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Handle the request and return what any view may return."""
        raise NotImplementedError(
            f"{type(self).__name__} has no dispatch_request. Define it, def or async def, with the URL's"
            " variables as parameters; or derive from MethodView and define get, post and so on."
        )

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> RouteCallable:
        """Make the view function to register. It is of the kind of what handles the request.

        For a class with methods of several kinds it is an object that stands for one function of each kind, which
        the decorators are applied to one by one.

        :param name: the function's name, and thereby the endpoint.
        :param class_args: arguments for the class's constructor, as are the `class_kwargs`.
        """
        view: Any
        if cls.init_every_request:

            def handler() -> Handler:
                # through the attribute, so that a test can put another class in its place
                made: View = view.view_class(*class_args, **class_kwargs)
                return made._handler()

        else:
            single = cls(*class_args, **class_kwargs)

            def handler() -> Handler:
                return single._handler()

        views = {make: cls._decorated(make(handler), name) for make in cls._makers()}
        view = views.popitem()[1] if len(views) == 1 else _MixedView(views)
        cls._describe(view, name)
        return view  # type: ignore[no-any-return]

    @classmethod
    def _decorated(cls, view: Handler, name: str) -> Handler:
        cls._describe(view, name)
        for decorator in cls.decorators:
            view = decorator(view)
        return view

    @classmethod
    def _describe(cls, view: Any, name: str) -> None:
        """Have the function tell what `add_url_rule` and tools want to know."""
        view.__name__, view.__module__, view.__doc__ = name, cls.__module__, cls.__doc__
        for attribute in ("methods", "provide_automatic_options"):
            setattr(view, attribute, getattr(cls, attribute))
        view.view_class = cls

    @classmethod
    def _makers(cls) -> set[Maker]:
        """Return what makes view functions of the kinds that the class handles requests with."""
        return {_maker(cls.dispatch_request)}

    def _handler(self) -> Handler:
        """Return the method that handles the current request."""
        return self.dispatch_request


class MethodView(View):
    """A view with a method for each HTTP method it serves: `get`, `post`, ..., each `def` or `async def`.

    Each runs where a function of its kind does. HEAD is served by `get` where there is no `head`. The `methods` come
    from what the class and its bases define, unless the class sets them.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" not in cls.__dict__:
            found = {method.upper() for method in http_method_funcs if hasattr(cls, method)}
            for base in cls.__bases__:
                found.update(getattr(base, "methods", None) or ())
            if found:
                cls.methods = found

    def dispatch_request(self, **values: Any) -> ResponseReturnValue:
        """Call the method that serves this request.

        An override may call this one with `super()` also if methods are `async def`; from an `async def`
        override, `await current_app.ensure_async(super().dispatch_request)(...)`.
        """
        return current_app.ensure_sync(self._serving_method())(**values)  # type: ignore[no-any-return]

    def _serving_method(self) -> Handler:
        method = _method_for_request(self)
        if method is None:
            name = request.method
            raise AssertionError(  # as in Flask
                f"{type(self).__name__} accepts {name} requests but has no method '{name.lower()}'. Define"
                f" it, or leave {name} out of 'methods'."
            )
        return method

    @classmethod
    def _makers(cls) -> set[Maker]:
        if cls._is_overridden():
            return super()._makers()
        names = {*http_method_funcs, *(method.lower() for method in cls.methods or ())}
        return {_maker(getattr(cls, name)) for name in names if hasattr(cls, name)} or {_plain}

    def _handler(self) -> Handler:
        # not dispatch_request, which is a def: the methods may be async def
        return self.dispatch_request if self._is_overridden() else self._serving_method()

    @classmethod
    def _is_overridden(cls) -> bool:
        return cls.dispatch_request is not _dispatch_by_method


MethodViewType = type
"""The metaclass of `MethodView`. Kept from the classic API, where it had one of its own."""

# as it was written: a tool that patches the class afterwards is honoured like an override
_dispatch_by_method = MethodView.dispatch_request


class _MixedView(Chooser):
    """The view function of a class whose methods are of several kinds: for each request it is of the method's kind.

    :param views: the function of each kind, by what has made it.
    """

    view_class: type[MethodView]

    def __init__(self, views: dict[Maker, Handler]) -> None:
        self._views = views
        self._without_request = views.get(_awaited) or next(iter(views.values()))

    def chosen(self) -> Handler:
        method = _method_for_request(self.view_class) if request else None
        return self._without_request if method is None else self._views.get(_maker(method), self._without_request)


def _method_for_request(owner: MethodView | type[MethodView]) -> Handler | None:
    name = request.method.lower()
    method: Handler | None = getattr(owner, name, None)
    return getattr(owner, "get", None) if method is None and name == "head" else method


# View functions of each kind: the framework goes by that kind


def _maker(method: Handler) -> Maker:
    """Return what makes a view function of the method's kind."""
    if is_async(method):
        return _awaited
    return _nonblocking if is_nonblocking(method) else _plain


def _plain(handler: Callable[[], Handler]) -> Handler:
    def view(**values: Any) -> Any:
        return handler()(**values)

    return view


def _nonblocking(handler: Callable[[], Handler]) -> Handler:
    return nonblocking(_plain(handler))


def _awaited(handler: Callable[[], Handler]) -> Handler:
    async def view(**values: Any) -> Any:
        return await handler()(**values)

    return view
