"""Certificates for HTTPS: what --cert and --key may be."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import click
from werkzeug.utils import import_string

if TYPE_CHECKING:
    import ssl

    Certificate = Literal["adhoc"] | ssl.SSLContext | tuple[str, str]
    """What werkzeug's server takes as `ssl_context`: a file goes with the file of its private key."""


class CertParamType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """A certificate: a file, `adhoc` for one made on the spot, or the import name of an `ssl.SSLContext`."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | ssl.SSLContext:
        try:
            ssl = import_module("ssl")
        except ImportError:
            self.fail("This Python was built without SSL.", param, ctx)
        if isinstance(value, ssl.SSLContext):
            return value  # type: ignore[no-any-return]
        if value == "adhoc":
            try:
                import_module("cryptography")
            except ImportError:
                self.fail("A certificate made on the spot needs a package: pip install cryptography.", param, ctx)
            return "adhoc"
        if os.path.isfile(value):
            return str(value)
        context = import_string(value, silent=True)
        if not isinstance(context, ssl.SSLContext):
            self.fail(f"{value!r} is neither a file nor 'adhoc' nor the name of an SSLContext.", param, ctx)
        return context  # type: ignore[no-any-return]


def join_key(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Make the parameter `cert` a pair of files, certificate and key, where it is a file; the callback of --key.

    :raises click.BadParameter: the two don't belong together.
    """
    cert = ctx.params.get("cert")
    if isinstance(cert, str) and cert != "adhoc":
        if value is None:
            raise click.BadParameter("A certificate file needs its private key: add --key FILE.", ctx, param)
        ctx.params["cert"] = cert, value
    elif value is not None:
        raise click.BadParameter("It belongs to a certificate file: add --cert FILE.", ctx, param)
    return value
