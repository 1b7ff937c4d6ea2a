"""Watches, without the connections: what both clients share.

A watch is a request in Connect's JSON whose answer goes on: frames of five bytes, flags and
the length of what follows, then JSON. The last one has a flag of its own, and says whether
the stream has ended in an error.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, Dict, Generic, Iterator, Mapping, Optional, Tuple, TypeVar, Union

import httpx

from .call import USER_AGENT
from .convert import from_json, to_json
from .entities import Event, Session, WatchedEvent
from .errors import CoinslotError, Reply, broken_off, ended, refused, unreadable
from .settings import Settings

T = TypeVar("T")

CONTENT_TYPE = "application/connect+json"

# A server that tells nothing for so many seconds is given up: it lets hear from itself
# every 15.
LONGEST_SILENCE = 45.0

_HEAD = struct.Struct(">BI")
_COMPRESSED, _END = 1, 2
_MOST_BYTES = 16 << 20


class Watch(Generic[T]):
    """What is watched: one for each time that somebody goes through it."""

    method = ""

    def __init__(self, message: Mapping[str, object]) -> None:
        self.message: Dict[str, object] = dict(message)
        self.over = False

    def hear(self, answer: Any) -> Optional[T]:
        """What an answer tells; None for a heartbeat. Raises ValueError."""
        raise NotImplementedError


class EventsWatch(Watch[WatchedEvent]):
    """Goes on after the last answer."""

    method = "EventService/WatchEvents"

    def hear(self, answer: Any) -> Optional[WatchedEvent]:
        told = from_json(dict, answer)
        cursor = from_json(str, told.get("next_cursor"))
        self.message["cursor"] = cursor
        return None if told.get("event") is None else WatchedEvent(from_json(Event, told["event"]), cursor)


class SessionWatch(Watch[Session]):
    """Ends once the session is final. Another connection tells first what is known."""

    method = "EventService/WatchSession"
    last: Optional[Session] = None

    def hear(self, answer: Any) -> Optional[Session]:
        told = from_json(dict, answer).get("session")
        now = None if told is None else from_json(Session, told)
        if now is None or now == self.last:
            return None
        self.last = now
        self.over = now.status != "pending"
        return now


@dataclass
class Watching(Generic[T]):
    """A watch over its connections, one after the other."""

    watch: Watch[T]
    settings: Settings
    connected: bool = False
    attempt: int = 0

    @property
    def over(self) -> bool:
        return self.watch.over

    def request(self, http: Union[httpx.Client, httpx.AsyncClient]) -> httpx.Request:
        """The request that makes one connection."""
        message = json.dumps(to_json(self.watch.message), ensure_ascii=False).encode()
        headers = {
            "Accept-Encoding": "identity",
            "Authorization": "Bearer " + self.settings.access_token,
            "Content-Type": CONTENT_TYPE,
            "Connect-Protocol-Version": "1",
            "User-Agent": USER_AGENT,
        }
        return http.build_request(
            "POST",
            f"{self.settings.base_url}/pay.v1.{self.watch.method}",
            content=_HEAD.pack(0, len(message)) + message,
            headers=headers,
            timeout=httpx.Timeout(self.settings.timeout, read=LONGEST_SILENCE),
        )

    def wait(self, error: CoinslotError) -> Optional[float]:
        """How many seconds to wait until the next connection; None where there should be
        none. Until one was made that is as for any call, and from then on for ever."""
        if not error.retryable or not self.connected and self.attempt >= self.settings.retries:
            return None
        wait = self.settings.pause(error, self.attempt)
        self.attempt += 1
        return wait

    def hear(self, frames: Frames, chunk: bytes, response: httpx.Response) -> Iterator[T]:
        """What a piece of the answer tells. Raises CoinslotError at the stream's end."""
        try:
            for is_end, told in frames.feed(chunk):
                if is_end:
                    raise ended(Reply.begun(response), told)
                self.connected, self.attempt = True, 0
                item = self.watch.hear(told)
                if item is not None:
                    yield item
                if self.over:
                    return
        except ValueError as e:
            raise unreadable(Reply.begun(response), e) from e

    def end(self, response: httpx.Response) -> CoinslotError:
        """The error of a stream that stopped without an end."""
        return broken_off(Reply.begun(response))


def check(response: httpx.Response, body: bytes) -> None:
    """Raise CoinslotError for an answer that is no stream."""
    reply = Reply.of(response, body)
    if reply.status != httpx.codes.OK:
        raise refused(reply)
    raise unreadable(reply, ValueError("it is no stream"))


def is_stream(response: httpx.Response) -> bool:
    """Whether an answer goes on."""
    return response.status_code == httpx.codes.OK and response.headers.get("Content-Type") == CONTENT_TYPE


class Frames:
    """Cuts what arrives into its messages."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> Iterator[Tuple[bool, Any]]:
        """The messages that are whole, and whether each is the end. Raises ValueError."""
        self._held += chunk
        while len(self._held) >= _HEAD.size:
            flags, size = _HEAD.unpack_from(self._held)
            if size > _MOST_BYTES or flags & _COMPRESSED:
                raise ValueError("a message is too large, or compressed")
            end = _HEAD.size + size
            if len(self._held) < end:
                return
            message, self._held = self._held[_HEAD.size : end], self._held[end:]
            yield bool(flags & _END), json.loads(message)
