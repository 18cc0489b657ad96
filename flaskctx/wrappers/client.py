"""Whether a WSGI client is still there: a look at the socket, where the server shows it."""

from __future__ import annotations

import socket
from typing import Any


def has_hung_up(environ: dict[str, Any]) -> bool:
    """Tell whether the client has closed its side of the connection, or the connection is broken.

    A client that half-closes and still reads is taken to have left. Connections with TLS can't be looked at.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if type(connection) is not socket.socket:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
