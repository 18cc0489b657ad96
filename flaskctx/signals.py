"""The signals an application sends, as blinker signals.

The first argument of each is the application that sends it; what else a receiver is given
is said in brackets in the signal's docstring. Sending to a signal without receivers costs next to nothing.
"""

from __future__ import annotations

from blinker import Namespace as Namespace

#: Always true: blinker is required. Kept for code that still asks.
signals_available = True

# A namespace of our own: receivers of another framework's signals of the same names are not called.
_namespace = Namespace()

before_render_template = _namespace.signal(
    "before-render-template",
    "A template is about to be rendered (template, context). Receivers may still change the context.",
)
template_rendered = _namespace.signal("template-rendered", "A template has been rendered (template, context).")

request_started = _namespace.signal(
    "request-started", "The request context is there and no function of the user has run yet."
)
request_finished = _namespace.signal(
    "request-finished", "The response is complete and about to be handed to the server (response)."
)
got_request_exception = _namespace.signal(
    "got-request-exception", "An exception that no error handler took is about to become a 500 (exception)."
)
got_background_exception = _namespace.signal(
    "got-background-exception", "A background task has failed, and that was logged (exception, task: the function)."
)
request_tearing_down = _namespace.signal(
    "request-tearing-down", "The request context goes away, whether or not the request failed (exc)."
)

appcontext_pushed = _namespace.signal("appcontext-pushed", "An application context has become the current one.")
appcontext_tearing_down = _namespace.signal(
    "appcontext-tearing-down", "The application context goes away, whether or not something failed (exc)."
)
appcontext_popped = _namespace.signal("appcontext-popped", "An application context is no longer the current one.")

message_flashed = _namespace.signal("message-flashed", "A message has been flashed (message, category).")
