"""What applications and blueprints share, under the name of the module that defines it in Flask."""

from __future__ import annotations

from ..helpers import get_root_path
from ..scaffold import (
    Scaffold,
    T_after_request,
    T_before_request,
    T_error_handler,
    T_route,
    T_teardown,
    T_url_defaults,
    T_url_value_preprocessor,
    _endpoint_from_view_func,
    find_package,
    setupmethod,
)
from ..scaffold import T_context_processor as T_template_context_processor
from ..templating import _default_template_ctx_processor

__all__ = [
    "Scaffold",
    "T_after_request",
    "T_before_request",
    "T_error_handler",
    "T_route",
    "T_teardown",
    "T_template_context_processor",
    "T_url_defaults",
    "T_url_value_preprocessor",
    "_default_template_ctx_processor",
    "_endpoint_from_view_func",
    "find_package",
    "get_root_path",
    "setupmethod",
]
