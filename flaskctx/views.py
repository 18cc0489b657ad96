"""Views as classes: `View` has one method for the request, `MethodView` one for each HTTP method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .bridge.kinds import is_async
from .globals import current_app, request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .typing import ResponseReturnValue, RouteCallable

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
        """Make the view function to register. It is `async def` if the class handles requests that way.

        :param name: the function's name, and thereby the endpoint.
        :param class_args: arguments for the class's constructor, as are the `class_kwargs`.
        """
        view: Any
        if cls.init_every_request:

            def instance() -> View:
                # through the attribute, so that a test can put another class in its place
                made: View = view.view_class(*class_args, **class_kwargs)
                return made

        else:
            single = cls(*class_args, **class_kwargs)

            def instance() -> View:
                return single

        view = cls._view_function(instance)
        cls._describe(view, name)
        for decorator in cls.decorators:
            view = decorator(view)
        # once more: a decorator may have made another function
        cls._describe(view, name)
        return view  # type: ignore[no-any-return]

    @classmethod
    def _describe(cls, view: Any, name: str) -> None:
        """Have the function tell what `add_url_rule` and tools want to know."""
        view.__name__, view.__module__, view.__doc__ = name, cls.__module__, cls.__doc__
        for attribute in ("methods", "provide_automatic_options"):
            setattr(view, attribute, getattr(cls, attribute))
        view.view_class = cls

    @classmethod
    def _view_function(cls, instance: Callable[[], Any]) -> Callable[..., Any]:
        """Return a function of the kind that `dispatch_request` is: the framework goes by that kind."""
        if not is_async(cls.dispatch_request):

            def view(**values: Any) -> Any:
                return instance().dispatch_request(**values)

            return view

        async def async_view(**values: Any) -> Any:
            return await instance().dispatch_request(**values)

        return async_view


class MethodView(View):
    """A view with a method for each HTTP method it serves: `get`, `post`, ..., each `def` or `async def`.

    HEAD is served by `get` where there is no `head`. The `methods` come from what the class and its bases
    define, unless the class sets them.
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

    def _serving_method(self) -> Callable[..., Any]:
        name = request.method.lower()
        method: Callable[..., Any] | None = getattr(self, name, None)
        if method is None and name == "head":
            method = getattr(self, "get", None)
        if method is None:
            raise NotImplementedError(
                f"{type(self).__name__} accepts {name.upper()} requests but has no method '{name}'. Define"
                f" it, or leave {name.upper()} out of 'methods'."
            )
        return method

    @classmethod
    def _view_function(cls, instance: Callable[[], Any]) -> Callable[..., Any]:
        if cls.dispatch_request is not _dispatch_by_method or not cls._has_async_methods():
            return super()._view_function(instance)

        async def view(**values: Any) -> Any:
            # not dispatch_request, which is a def: async def methods run on the loop, the others on the
            # request's worker thread
            return await current_app.ensure_async(instance()._serving_method())(**values)

        return view

    @classmethod
    def _has_async_methods(cls) -> bool:
        names = {*http_method_funcs, *(method.lower() for method in cls.methods or ())}
        return any(is_async(getattr(cls, name)) for name in names if hasattr(cls, name))


# as it was written: a tool that patches the class afterwards is honoured like an override
_dispatch_by_method = MethodView.dispatch_request
