"""The form of a request that is too large for memory, parsed while it arrives: its files go straight to disk."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from werkzeug.datastructures import FileStorage
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.sansio.multipart import Data, Epilogue, File, NeedData

from .input import InputStream, ParsedInput
from .multipart import CompleteField, FormDecoder
from .quick import defines_any
from .request import Request

if TYPE_CHECKING:
    from typing import Self

_OWN_WAYS = ("_load_form_data", "make_form_data_parser", "_get_stream_for_parsing", "stream", "get_data", "data")


def can_be_parsed(request: Request) -> bool:
    """Tell whether the body is a multipart form, and the request's class doesn't parse it in a way of its own."""
    boundary = request.mimetype_params.get("boundary", "")
    return (
        request.mimetype == "multipart/form-data"
        and bool(boundary)
        and boundary.isascii()
        and request.form_data_parser_class is FormDataParser
        and request.want_form_data_parsed
        and not defines_any(type(request), Request, _OWN_WAYS)
    )


class ArrivingForm:
    """Makes `request.form` and `request.files` of the body that is fed to it. Use it with `with`.

    As with werkzeug's parser a form that is malformed has no fields and no files.

    :param request: one that `can_be_parsed`. Afterwards nothing can be read from its stream.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._decoder = FormDecoder(request, request.mimetype_params["boundary"])
        self._parser = MultiPartParser(request._get_file_stream)
        self._fields: list[tuple[str, str]] = []
        self._files: list[tuple[str, FileStorage]] = []
        self._malformed = False

    def feed(self, data: bytes | None) -> None:
        """Take the next bytes of the body, None at its end.

        :raises RequestEntityTooLarge: (413) the form has too many parts, or too large ones.
        """
        if self._malformed:
            return
        try:
            self._decoder.feed(data)
            while not isinstance(event := self._decoder.next_event(), (NeedData, Epilogue)):
                if isinstance(event, CompleteField):
                    self._fields.append((event.name, event.value))
                elif isinstance(event, File):
                    self._begin_file(event)
                elif isinstance(event, Data):
                    stream = self._files[-1][1].stream
                    stream.write(event.data)
                    if not event.more_data:
                        stream.seek(0)
        except ValueError:
            self._malformed = True
            self._drop()

    def _begin_file(self, event: File) -> None:
        stream = self._parser.start_file_streaming(event, self._request.content_length)
        self._files.append((event.name, FileStorage(stream, event.filename, event.name, headers=event.headers)))

    def _drop(self) -> None:
        for _, file in self._files:
            file.close()
        self._fields, self._files = [], []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        state, storage = vars(self._request), self._request.parameter_storage_class
        if error is None:
            self.feed(None)
            state["form"], state["files"] = storage(self._fields), storage(self._files)
        else:
            self._drop()
        self._request.environ["wsgi.input"] = rest = ParsedInput(error)
        state["stream"] = InputStream(rest)
