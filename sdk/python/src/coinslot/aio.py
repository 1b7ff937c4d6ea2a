"""The client that is awaited. All but the sending is shared with the one that blocks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Optional, Type, TypeVar

import httpx

from . import calls
from .call import Call, following
from .entities import Page
from .errors import CoinslotError, Reply, broken
from .method import as_method
from .settings import DEFAULT_RETRIES, DEFAULT_TIMEOUT, settle
from .watch import Frames, Watch, Watching, check, is_stream

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")


def _awaited(build: Callable[P, Call[T]]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """A method that makes a call; awaited, it gives its result."""

    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self._send(build(*args, **kwargs))
        return result

    return as_method(method, build)


def _watching(build: Callable[P, Watch[T]]) -> Callable[Concatenate[Any, P], AsyncIterator[T]]:
    """A method that goes through what a watch tells."""

    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        watched: AsyncIterator[T] = self._watch(build(*args, **kwargs))
        return watched

    return as_method(method, build)


def _paging(build: Callable[P, Call[Page[T]]]) -> Callable[Concatenate[Any, P], AsyncIterator[T]]:
    """A method that goes through all pages of a list, asking for each when it gets there."""

    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return _pages(self._send, build(*args, **kwargs))

    return as_method(method, build)


async def _pages(send: Callable[[Call[Page[T]]], Awaitable[Page[T]]], first: Call[Page[T]]) -> AsyncIterator[T]:
    call: Optional[Call[Page[T]]] = first
    while call is not None:
        page = await send(call)
        for row in page:
            yield row
        call = following(call, page)


@asynccontextmanager
async def _aclosing(thing: Any) -> AsyncIterator[Any]:  # contextlib has it from Python 3.10 on
    try:
        yield thing
    finally:
        await thing.aclose()


class AsyncCoinslot:
    """Coinslot for asyncio: the same options, and the same methods, awaited."""

    def __init__(
        self,
        *,
        access_token: Optional[str] = None,
        base_url: Optional[str] = None,
        environment: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        http_client: Optional[httpx.AsyncClient] = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings = settle(access_token, environment, base_url, timeout, retries)
        self._http = httpx.AsyncClient() if http_client is None else http_client
        self._owns_http = http_client is None
        self._sleep = sleep
        self.sessions = AsyncSessions(self)
        self.payments = AsyncPayments(self)
        self.refunds = AsyncRefunds(self)
        self.events = AsyncEvents(self)

    checkout = _awaited(calls.create_session)
    refund = _awaited(calls.create_refund)

    async def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncCoinslot:
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()

    async def _send(self, call: Call[T]) -> T:
        attempt = 0
        while True:
            try:
                return call.result(await self._attempt(call))
            except CoinslotError as error:
                wait = self._settings.wait(error, attempt)
                if wait is None:
                    raise
            await self._sleep(wait)
            attempt += 1

    async def _attempt(self, call: Call[T]) -> Reply:
        request = call.request(self._http, self._settings)
        limit = call.limit(self._settings)
        try:
            response = await asyncio.wait_for(self._http.send(request, follow_redirects=False), limit)
        except httpx.RequestError as e:
            raise broken(e) from e
        except asyncio.TimeoutError as e:
            raise broken(httpx.ReadTimeout("the answer did not end", request=request)) from e
        return Reply.of(response, response.content)

    async def _watch(self, watch: Watch[T]) -> AsyncIterator[T]:
        watching = Watching(watch, self._settings)
        while True:
            try:
                async with _aclosing(self._listen(watching)) as told:
                    async for item in told:
                        yield item
                if watching.over:
                    return
            except CoinslotError as error:
                wait = watching.wait(error)
                if wait is None:
                    raise
                await self._sleep(wait)

    async def _listen(self, watching: Watching[T]) -> AsyncGenerator[T, None]:
        """What one connection tells."""
        try:
            response = await self._http.send(watching.request(self._http), stream=True, follow_redirects=False)
            async with _aclosing(response):
                if not is_stream(response):
                    check(response, await response.aread())
                frames = Frames()
                async for chunk in response.aiter_bytes():
                    for item in watching.hear(frames, chunk, response):
                        yield item
                    if watching.over:
                        return
                raise watching.end(response)
        except httpx.RequestError as e:
            raise broken(e) from e


class _Part:
    def __init__(self, client: AsyncCoinslot) -> None:
        self._send = client._send
        self._watch = client._watch


class AsyncSessions(_Part):
    """What can be asked of sessions."""

    create = _awaited(calls.create_session)
    get = _awaited(calls.get_session)
    status = _awaited(calls.get_session_status)
    list = _awaited(calls.list_sessions)
    all = _paging(calls.list_sessions)
    cancel = _awaited(calls.cancel_session)
    watch = _watching(calls.watch_session)


class AsyncPayments(_Part):
    """What can be asked of payments."""

    get = _awaited(calls.get_payment)
    list = _awaited(calls.list_payments)
    all = _paging(calls.list_payments)
    complete = _awaited(calls.complete_payment)
    cancel = _awaited(calls.cancel_payment)


class AsyncRefunds(_Part):
    """What can be asked of refunds."""

    create = _awaited(calls.create_refund)
    get = _awaited(calls.get_refund)
    list = _awaited(calls.list_refunds)
    all = _paging(calls.list_refunds)


class AsyncEvents(_Part):
    """What can be asked of events."""

    get = _awaited(calls.get_event)
    list = _awaited(calls.list_events)
    all = _paging(calls.list_events)
    watch = _watching(calls.watch_events)
    acknowledge = _awaited(calls.acknowledge_events)
