"""Certificates for HTTPS: what --cert and --key may be."""

from __future__ import annotations

import os
import ssl
from importlib.util import find_spec
from typing import Any, Literal

import click
from werkzeug.utils import import_string

Certificate = str | ssl.SSLContext


class CertParamType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """A certificate: a file, `adhoc` for one made on the spot, or the import name of an `ssl.SSLContext`."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | ssl.SSLContext:
        if isinstance(value, ssl.SSLContext):
            return value
        if value == "adhoc":
            if find_spec("cryptography") is None:
                self.fail("A certificate made on the spot needs the package cryptography.", param, ctx)
            return "adhoc"
        if os.path.isfile(value):
            return str(value)
        context = import_string(value, silent=True)
        if not isinstance(context, ssl.SSLContext):
            self.fail(f"{value!r} is neither a file nor 'adhoc' nor the name of an SSLContext.", param, ctx)
        return context


def pair(cert: Certificate | None, key: str | None) -> Literal["adhoc"] | ssl.SSLContext | tuple[str, str] | None:
    """Return what werkzeug's server takes as `ssl_context`.

    :param cert: what `CertParamType` gives.
    :param key: the file of the private key, which a certificate file needs and nothing else.
    :raises click.BadParameter: the two don't belong together.
    """
    if isinstance(cert, str) and cert != "adhoc":
        if key is None:
            raise click.BadParameter("The file needs its private key: add --key.", param_hint="--cert")
        return cert, key
    if key is not None:
        raise click.BadParameter("It belongs to a certificate file: add --cert FILE.", param_hint="--key")
    return "adhoc" if isinstance(cert, str) else cert
