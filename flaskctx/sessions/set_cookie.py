"""The header that sets a session's cookie, from a form that is made once and filled in for each response.

`Response.set_cookie` checks and joins the same attributes each time. The form holds what werkzeug made
of them, so the header is the same; a response class with a `set_cookie` of its own is still asked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from werkzeug.http import dump_cookie, http_date
from werkzeug.wrappers import Response as WerkzeugResponse

if TYPE_CHECKING:
    from ..wrappers import Response

#: Matches a text that stands in a cookie as it is, such as everything that itsdangerous signs.
is_plain_text = re.compile(r"[A-Za-z0-9._-]+").fullmatch

_FORMS_KEPT = 4
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_SOME_DAYS_TEXT = http_date(_SOME_DAY)

# As it is when this is imported: one that a tool patches in later is called.
_set_cookie = WerkzeugResponse.set_cookie


class _Form:
    """A `Set-Cookie` header with gaps for the value and for the time at which it expires."""

    __slots__ = ("after_expiry", "after_value", "before_value", "made_from")

    def __init__(self, made_from: tuple[str, bool, dict[str, Any]]) -> None:
        name, expires, attributes = made_from
        header = dump_cookie(name, expires=_SOME_DAY if expires else None, **attributes)
        self.made_from = made_from
        self.before_value, semicolon, rest = header.partition(";")
        self.after_value, _, self.after_expiry = (semicolon + rest).partition(_SOME_DAYS_TEXT)

    def filled_in(self, value: str, expires: datetime | None) -> str:
        if expires is None:
            return f"{self.before_value}{value}{self.after_value}"
        return f"{self.before_value}{value}{self.after_value}{http_date(expires)}{self.after_expiry}"


class CookieSetter:
    """Sets cookies on responses, and keeps the forms of those it set last."""

    def __init__(self) -> None:
        # Newest first. Replaced, never changed in place.
        self._forms: tuple[_Form, ...] = ()

    def set(
        self, response: Response, name: str, value: str, expires: datetime | None, attributes: dict[str, Any]
    ) -> None:
        """Do what `response.set_cookie(name, value, expires=expires, **attributes)` does.

        :param attributes: of the cookie, by the names of that method's parameters.
        """
        if type(response).set_cookie is _set_cookie and is_plain_text(value):
            header = self._form((name, expires is not None, attributes)).filled_in(value, expires)
            if len(header) <= response.max_cookie_size:
                response.headers.add("Set-Cookie", header)
                return
        response.set_cookie(name, value, expires=expires, **attributes)

    def _form(self, made_from: tuple[str, bool, dict[str, Any]]) -> _Form:
        for form in self._forms:
            if form.made_from == made_from:
                return form
        form = _Form(made_from)
        self._forms = (form, *self._forms[: _FORMS_KEPT - 1])
        return form
