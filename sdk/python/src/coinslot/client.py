"""The client that blocks."""

from __future__ import annotations

import time
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Type, TypeVar

import httpx

from . import calls
from .call import Call, Deadline, following
from .entities import Page
from .errors import CoinslotError, Reply, broken
from .method import as_method
from .settings import DEFAULT_RETRIES, DEFAULT_TIMEOUT, settle
from .watch import Frames, Watch, Watching, check, is_stream

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")


def _blocking(build: Callable[P, Call[T]]) -> Callable[Concatenate[Any, P], T]:
    """A method that makes a call and returns its result."""

    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._send(build(*args, **kwargs))
        return result

    return as_method(method, build)


def _watching(build: Callable[P, Watch[T]]) -> Callable[Concatenate[Any, P], Iterator[T]]:
    """A method that goes through what a watch tells."""

    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        watched: Iterator[T] = self._watch(build(*args, **kwargs))
        return watched

    return as_method(method, build)


def _paging(build: Callable[P, Call[Page[T]]]) -> Callable[Concatenate[Any, P], Iterator[T]]:
    """A method that goes through all pages of a list, asking for each when it gets there."""

    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return _pages(self._send, build(*args, **kwargs))

    return as_method(method, build)


def _pages(send: Callable[[Call[Page[T]]], Page[T]], first: Call[Page[T]]) -> Iterator[T]:
    call: Optional[Call[Page[T]]] = first
    while call is not None:
        page = send(call)
        yield from page
        call = following(call, page)


class Coinslot:
    """A client of one server, as one access token. Threads may share it.

    access_token: from `coinslot keys create`; by default COINSLOT_ACCESS_TOKEN.
    base_url: the server; by default COINSLOT_BASE_URL, else for sandbox tokens
        http://localhost:8080.
    environment: `sandbox` or `production`; refused if the token is of the other one.
    timeout: for how many seconds one attempt of a call waits for the server.
    retries: how often a call is tried again where that is safe and may help.
    http_client: to call through, such as one with a proxy; close() leaves it open.
    sleep: waits between two attempts.

    Raises ValueError for options that are missing or contradict each other.
    """

    def __init__(
        self,
        *,
        access_token: Optional[str] = None,
        base_url: Optional[str] = None,
        environment: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        http_client: Optional[httpx.Client] = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settle(access_token, environment, base_url, timeout, retries)
        self._http = httpx.Client() if http_client is None else http_client
        self._owns_http = http_client is None
        self._sleep = sleep
        self.sessions = Sessions(self)
        self.payments = Payments(self)
        self.refunds = Refunds(self)
        self.events = Events(self)

    checkout = _blocking(calls.create_session)
    refund = _blocking(calls.create_refund)

    def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Coinslot:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _send(self, call: Call[T]) -> T:
        attempt = 0
        while True:
            try:
                return call.result(self._attempt(call))
            except CoinslotError as error:
                wait = self._settings.wait(error, attempt)
                if wait is None:
                    raise
            self._sleep(wait)
            attempt += 1

    def _attempt(self, call: Call[T]) -> Reply:
        deadline = Deadline(call.limit(self._settings))
        request = call.request(self._http, self._settings, deadline)
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
            with closing(response):
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    deadline.check(request)
        except httpx.RequestError as e:
            raise broken(e) from e
        return Reply.of(response, body)

    def _watch(self, watch: Watch[T]) -> Iterator[T]:
        watching = Watching(watch, self._settings)
        while True:
            try:
                yield from self._listen(watching)
                if watching.over:
                    return
            except CoinslotError as error:
                wait = watching.wait(error)
                if wait is None:
                    raise
                self._sleep(wait)

    def _listen(self, watching: Watching[T]) -> Iterator[T]:
        """What one connection tells."""
        try:
            response = self._http.send(watching.request(self._http), stream=True, follow_redirects=False)
            with closing(response):
                if not is_stream(response):
                    check(response, response.read())
                frames = Frames()
                for chunk in response.iter_bytes():
                    yield from watching.hear(frames, chunk, response)
                    if watching.over:
                        return
                raise watching.end(response)
        except httpx.RequestError as e:
            raise broken(e) from e


class _Part:
    def __init__(self, client: Coinslot) -> None:
        self._send = client._send
        self._watch = client._watch


class Sessions(_Part):
    """What can be asked of sessions."""

    create = _blocking(calls.create_session)
    get = _blocking(calls.get_session)
    status = _blocking(calls.get_session_status)
    list = _blocking(calls.list_sessions)
    all = _paging(calls.list_sessions)
    cancel = _blocking(calls.cancel_session)
    watch = _watching(calls.watch_session)


class Payments(_Part):
    """What can be asked of payments."""

    get = _blocking(calls.get_payment)
    list = _blocking(calls.list_payments)
    all = _paging(calls.list_payments)
    complete = _blocking(calls.complete_payment)
    cancel = _blocking(calls.cancel_payment)


class Refunds(_Part):
    """What can be asked of refunds."""

    create = _blocking(calls.create_refund)
    get = _blocking(calls.get_refund)
    list = _blocking(calls.list_refunds)
    all = _paging(calls.list_refunds)


class Events(_Part):
    """What can be asked of events."""

    get = _blocking(calls.get_event)
    list = _blocking(calls.list_events)
    all = _paging(calls.list_events)
    watch = _watching(calls.watch_events)
    acknowledge = _blocking(calls.acknowledge_events)
