"""Whether a WSGI client is still there: a look at the socket, where the server shows it."""

from __future__ import annotations

import socket
from typing import Any


def has_hung_up(environ: dict[str, Any]) -> bool:
    """Tell whether the client has closed its side of the connection, or the connection is broken.

    A client that half-closes and still reads is taken to have left. Connections with TLS can't be looked at, and none
    can on Windows.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if type(connection) is not socket.socket or not hasattr(socket, "MSG_DONTWAIT"):
        return False
    # under gevent this is a socket that waits, around one of the standard library's
    plain: Any = getattr(connection, "_sock", connection)
    try:
        return bool(plain.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
    except (BlockingIOError, InterruptedError, TimeoutError):
        return False
    except OSError:
        return True
