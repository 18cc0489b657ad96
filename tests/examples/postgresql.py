"""A PostgreSQL server that exists for a block: in a temporary folder, reached by a socket in it."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

START_WAIT = 30
"""Seconds that it may take until it answers, and to end."""


def find_binaries():
    """Return the folder of `initdb` and `postgres`, or None. Debian keeps them off the path."""
    found = [str(path.parent) for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found) if found else on_path and str(Path(on_path).resolve().parent)


@contextlib.contextmanager
def running_postgresql(binaries):
    """Run a server as long as the block lasts; give the URL of its database, which nobody else uses."""
    # a short path, as sockets need; PostgreSQL refuses to run as root
    folder = tempfile.mkdtemp(prefix="pg")
    as_user = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    options = {"cwd": folder, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT} | as_user
    data = f"{folder}/data"
    try:
        with open(f"{folder}/log", "w+b") as log:
            initialise = [
                f"{binaries}/initdb",
                "-D",
                data,
                "-U",
                "test",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "-N",
            ]
            subprocess.run(initialise, check=True, timeout=START_WAIT * 2, stdout=log, **options)
            serve = [f"{binaries}/postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-F"]
            server = subprocess.Popen(serve, stdout=log, **options)
            try:
                url = f"postgresql://test@/postgres?host={folder}"
                _wait_until_it_answers(server, url)
                yield url
            finally:
                server.send_signal(signal.SIGINT)  # its fast end: connections are closed, not waited for
                try:
                    server.wait(START_WAIT)
                finally:
                    server.kill()
    finally:
        shutil.rmtree(folder)


def _wait_until_it_answers(server, url):
    deadline = time.monotonic() + START_WAIT
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert server.poll() is None, "PostgreSQL ended at its start"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.05)
