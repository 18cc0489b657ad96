"""Homes of an application's serving: a block on each kind of loop, and on the background loop."""

from __future__ import annotations

import anyio
import pytest


@pytest.fixture(params=["background", "asyncio", "trio"])
def within(request, app):
    """Do something while the application serves: `within(function)` calls it in a `with` or `async with` block."""

    def within(function=lambda: None):
        if request.param == "background":
            with app.serving():
                return function()

        async def main():
            async with app.serving():
                return function()

        return anyio.run(main, backend=request.param)

    within.name = request.param
    return within
