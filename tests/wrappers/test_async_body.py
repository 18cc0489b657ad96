from __future__ import annotations

import asyncio
import gc

import pytest
from werkzeug.test import create_environ

from flaskctx.wrappers import Response
from flaskctx.wrappers.async_body import EncodedChunks, is_async_body

from ..ids import shown

GET = create_environ()
HEAD = create_environ(method="HEAD")


async def letters(log=None):
    try:
        yield "é"
        yield b"b"
    finally:
        if log is not None:
            log.append("closed")


class Source:
    """An async iterable, as database cursors and HTTP clients have them."""

    def __init__(self, chunks=("a", b"b"), error=None):
        self.chunks, self.error, self.closed = list(chunks), error, 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.chunks:
            return self.chunks.pop(0)
        if self.error:
            raise self.error
        raise StopAsyncIteration

    async def aclose(self):
        self.closed += 1


class Both(Source):
    def __iter__(self):
        return iter(["sync"])


@pytest.fixture
def response():
    return Response(letters())


class TestIsAsyncBody:
    @pytest.mark.parametrize("body", [[b"a"], ("a",), iter("ab"), None, Both()], ids=shown)
    def test_no(self, body):
        assert not is_async_body(body)

    def test_yes(self):
        assert is_async_body(letters())
        assert is_async_body(Source())


class TestAResponseWithAnAsyncBody:
    def test_keeps_it_as_it_is(self):
        body = letters()
        assert Response(body).response is body

    def test_is_streamed(self, response):
        assert response.is_streamed
        assert not response.is_sequence
        assert response.has_async_body

    def test_has_no_length(self, response):
        assert "Content-Length" not in response.headers
        assert "Content-Length" not in response.get_wsgi_headers(GET)

    def test_can_be_shown(self, response):
        assert repr(response) == "<Response streamed [200 OK]>"

    @pytest.mark.parametrize(
        "use",
        [
            lambda response: response.get_data(),
            lambda response: response.data,
            lambda response: response.set_data(b""),
            lambda response: setattr(response, "data", b""),
            lambda response: response.iter_encoded(),
            lambda response: response.make_sequence(),
            lambda response: response.calculate_content_length(),
            lambda response: response.get_app_iter(GET),
            lambda response: response.get_wsgi_response(GET),
            lambda response: response(GET, lambda *args: None),
            lambda response: response.freeze(),
            lambda response: response.add_etag(),
            lambda response: response.stream.write(b""),
            lambda response: response.get_json(force=True),
        ],
    )
    @pytest.mark.parametrize("passthrough", [False, True])
    def test_refuses_what_needs_the_bytes_at_once(self, use, passthrough, response):
        response.direct_passthrough = passthrough
        with pytest.raises(TypeError, match=r"async for chunk in\s+response.aiter_encoded"):
            use(response)

    def test_can_be_given_another_body(self, response):
        response.response = [b"other"]
        assert response.get_data() == b"other"

    def test_needs_no_body_for_head(self, response):
        assert list(response.get_app_iter(HEAD)) == []

    def test_can_be_conditional(self):
        response = Response(letters())
        response.set_etag("v1")
        response.make_conditional(create_environ(headers={"If-None-Match": '"v1"'}))
        assert response.status_code == 304
        assert response.automatically_set_content_length

    def test_ignores_ranges(self, response):
        environ = create_environ(headers={"Range": "bytes=0-0"})
        response.make_conditional(environ, accept_ranges=True, complete_length=2)
        assert response.status_code == 200
        assert response.has_async_body

    def test_calls_its_close_functions_and_leaves_the_body_to_its_reader(self):
        log = []
        source = Source()
        source.close = lambda: log.append("body")
        response = Response(source)
        response.call_on_close(lambda: log.append("function"))
        response.close()
        assert log == ["function"]


class TestAResponseWithAnotherBody:
    def test_is_not_async(self):
        assert not Response("a").has_async_body
        assert not Response(iter("ab")).has_async_body

    def test_is_not_iterated_with_async_for(self):
        with pytest.raises(TypeError, match="iter_encoded"):
            Response("a").aiter_encoded()

    def test_that_offers_both_ways_works_as_before(self):
        assert Response(Both()).get_data() == b"sync"

    async def test_that_offers_both_ways_can_be_iterated_with_async_for(self):
        assert [chunk async for chunk in Response(Both()).aiter_encoded()] == [b"a", b"b"]

    def test_closes_the_body(self):
        log = []
        body = type("Body", (), {"__iter__": lambda self: iter(""), "close": lambda self: log.append("body")})()
        response = Response(body)
        response.call_on_close(lambda: log.append("function"))
        response.close()
        assert log == ["body", "function"]

    def test_can_be_conditional(self):
        response = Response("abc").make_conditional(
            create_environ(headers={"Range": "bytes=1-1"}), accept_ranges=True, complete_length=3
        )
        assert (response.status_code, response.data) == (206, b"b")


class TestChunks:
    async def test_are_bytes(self, response):
        assert [chunk async for chunk in response.aiter_encoded()] == ["é".encode(), b"b"]

    async def test_of_an_iterable_that_is_not_an_iterator(self):
        class Body:
            async def __aiter__(self):
                yield "a"

        assert [chunk async for chunk in EncodedChunks(Body())] == [b"a"]

    async def test_end_for_good(self, response):
        chunks = response.aiter_encoded()
        async for _ in chunks:
            pass
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)


class TestTheBodyIsClosedOnce:
    async def test_when_it_is_exhausted(self):
        source = Source()
        chunks = EncodedChunks(source)
        async for _ in chunks:
            assert source.closed == 0
        await chunks.aclose()
        assert source.closed == 1

    async def test_when_it_fails(self):
        source = Source(error=ValueError("broken"))
        chunks = EncodedChunks(source)
        with pytest.raises(ValueError, match="broken"):
            async for _ in chunks:
                pass
        await chunks.aclose()
        assert source.closed == 1

    async def test_when_the_reader_stops(self):
        source = Source()
        chunks = EncodedChunks(source)
        await anext(chunks)
        await chunks.aclose()
        await chunks.aclose()
        assert source.closed == 1
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)

    async def test_when_it_was_never_read(self):
        source = Source()
        await EncodedChunks(source).aclose()
        assert source.closed == 1

    async def test_when_the_reader_is_cancelled(self):
        class Endless(Source):
            async def __anext__(self):
                await asyncio.sleep(60)

        source = Endless()
        task = asyncio.create_task(anext(EncodedChunks(source)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert source.closed == 1

    async def test_as_a_generator_that_stands_at_a_yield(self):
        log = []
        chunks = EncodedChunks(letters(log))
        await anext(chunks)
        await chunks.aclose()
        assert log == ["closed"]

    async def test_as_a_generator_that_was_never_started(self):
        chunks = EncodedChunks(letters())
        await chunks.aclose()
        del chunks
        gc.collect()

    async def test_both_iterator_and_iterable_if_they_are_two(self):
        log = []

        class Body:
            def __aiter__(self):
                return letters(log)

            async def aclose(self):
                log.append("body")

        chunks = EncodedChunks(Body())
        await anext(chunks)
        await chunks.aclose()
        assert log == ["closed", "body"]

    async def test_even_if_closing_its_iterator_fails(self):
        class Body(Source):
            def __aiter__(self):
                return Failing()

        class Failing(Source):
            async def aclose(self):
                raise ValueError("close")

        body = Body()
        chunks = EncodedChunks(body)
        await anext(chunks)
        with pytest.raises(ValueError, match="close"):
            await chunks.aclose()
        assert body.closed == 1

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_by_close_if_it_has_no_aclose(self, is_async):
        log = []

        class File:
            def __aiter__(self):
                return self

            async def __anext__(self):
                raise StopAsyncIteration

            if is_async:

                async def close(self):
                    log.append("closed")
            else:

                def close(self):
                    log.append("closed")

        assert [chunk async for chunk in EncodedChunks(File())] == []
        assert log == ["closed"]
