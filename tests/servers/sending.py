"""Uploads that are made up while they are sent, and what a server holds meanwhile."""

from __future__ import annotations

import http.client
import os
import threading
from pathlib import Path

import psutil

MEGABYTE = 1024**2
HEAD = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="large"\r\n\r\n'
TAIL = b"\r\n--edge--\r\n"


def upload(server, path, size, during=lambda sent: None):
    """Post a form with one file of `size` bytes; return the answer's status and body.

    :param during: called now and then with the number of bytes that were sent.
    """
    block = os.urandom(MEGABYTE)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", "multipart/form-data; boundary=edge")
        connection.putheader("Content-Length", str(len(HEAD) + size + len(TAIL)))
        connection.endheaders(HEAD)
        for sent in range(0, size, MEGABYTE):
            connection.send(block)
            during(sent)
        connection.send(TAIL)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Sampler:
    """Samples, in a thread of its own, the memory and the open temporary files of a server's processes.

    `memory` and `disk` are how much they have grown at most, in bytes. Files without a name are seen, too.
    """

    def __init__(self, server, pause=0.02):
        leader = psutil.Process(server.process.pid)
        self._processes = [leader, *leader.children(recursive=True)]
        self._pause = pause
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._before = self._memory()
        self.memory = self.disk = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()

    def _sample(self):
        while not self._done.wait(self._pause):
            self.memory = max(self.memory, self._memory() - self._before)
            self.disk = max(self.disk, self._disk())

    def _memory(self):
        return sum(process.memory_info().rss for process in self._processes)

    def _disk(self):
        return sum(open_deleted_files(process.pid) for process in self._processes)


def open_deleted_files(pid):
    """Return the bytes in files that a process has open, and that have no name any more, as temporary ones have."""
    total = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(descriptor).endswith("(deleted)"):
                total += descriptor.stat().st_size
        except OSError:
            pass  # it was closed meanwhile
    return total
