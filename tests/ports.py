"""Free ports for servers that tests start."""

import os
import re
import socket


def free_port():
    """Return a port of 127.0.0.1 on which nobody listens, and that no other worker of this run is given meanwhile."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # Linux gives out the odd ones first
        if port // 2 % workers == worker:
            return port
