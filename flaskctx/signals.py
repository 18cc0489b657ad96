"""The signals an application sends, as blinker signals.

The first argument of each is the application that sends it; what else a receiver is given
stands beside the signal. Sending to a signal without receivers costs next to nothing.
"""

from __future__ import annotations

from blinker import Namespace as Namespace

#: Always true: blinker is required. Kept for code that still asks.
signals_available = True

# A namespace of our own: receivers of another framework's signals of the same names are not called.
_namespace = Namespace()

#: A template is about to be rendered (template, context). Receivers may still change the context.
before_render_template = _namespace.signal("before-render-template")
#: A template has been rendered (template, context).
template_rendered = _namespace.signal("template-rendered")

#: The request context is there and no function of the user has run yet.
request_started = _namespace.signal("request-started")
#: The response is complete and about to be handed to the server (response).
request_finished = _namespace.signal("request-finished")
#: An exception that no error handler took is about to become a 500 (exception).
got_request_exception = _namespace.signal("got-request-exception")
#: A background task has failed, and that was logged (exception, task: the function).
got_background_exception = _namespace.signal("got-background-exception")
#: The request context goes away, whether or not the request failed (exc).
request_tearing_down = _namespace.signal("request-tearing-down")

#: An application context has become the current one.
appcontext_pushed = _namespace.signal("appcontext-pushed")
#: The application context goes away, whether or not something failed (exc).
appcontext_tearing_down = _namespace.signal("appcontext-tearing-down")
#: An application context is no longer the current one.
appcontext_popped = _namespace.signal("appcontext-popped")

#: A message has been flashed (message, category).
message_flashed = _namespace.signal("message-flashed")
