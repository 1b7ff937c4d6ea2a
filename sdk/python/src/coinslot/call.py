"""One call of the API, without the sending: what both clients share.

Calls are Connect's JSON: POST /pay.v1.PaymentService/CreateSession. It loses nothing
of the messages, and streams are the same JSON in envelopes.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Generic, Mapping, Optional, Type, TypeVar, Union

import httpx

from .convert import from_json, to_json
from .entities import Page
from .errors import CoinslotError, Reply, refused, unreadable, unwritable
from .settings import Settings, seconds
from .version import __version__

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
PageT = TypeVar("PageT", bound=Page[Any])

MOST_IDEMPOTENCY_KEY = 255

CONTENT_TYPE = "application/json"

USER_AGENT = "coinslot-python/" + __version__


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """A call that has not been made: the same one however often it is tried.

    receive reads the answer; idempotency_key is None for a read; timeout is None where
    the client's own counts.
    """

    method: str
    message: Mapping[str, object]
    receive: Callable[[Any], T_co]
    idempotency_key: Optional[str] = None
    timeout: Optional[float] = None

    def limit(self, settings: Settings) -> float:
        """For how many seconds an attempt may take."""
        return settings.timeout if self.timeout is None else self.timeout

    def request(
        self,
        http: Union[httpx.Client, httpx.AsyncClient],
        settings: Settings,
        deadline: Optional[Deadline] = None,
    ) -> httpx.Request:
        """The request that makes one attempt. Raises CoinslotError where it cannot be written."""
        timeout = self.limit(settings)
        try:
            content = json.dumps(to_json(self.message), ensure_ascii=False).encode()
        except UnicodeEncodeError as e:
            raise unwritable(e) from e
        headers = {
            "Authorization": "Bearer " + settings.access_token,
            "Content-Type": CONTENT_TYPE,
            "Connect-Protocol-Version": "1",
            "Connect-Timeout-Ms": str(max(1, int(timeout * 1000))),
            "User-Agent": USER_AGENT,
        }
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        return http.build_request(
            "POST",
            f"{settings.base_url}/pay.v1.{self.method}",
            content=content,
            headers=headers,
            timeout=timeout,
            extensions=None if deadline is None else {"timeout": deadline},
        )

    def result(self, reply: Reply) -> T_co:
        """What an answer says. Raises CoinslotError for a refusal."""
        if reply.status != httpx.codes.OK:
            raise refused(reply)
        try:
            if reply.kind != CONTENT_TYPE:
                raise ValueError("it is not JSON")
            return self.receive(json.loads(reply.body))
        except ValueError as e:
            raise unreadable(reply, e) from e


class Deadline(Dict[str, float]):
    """The timeouts of one attempt: each step of it may take what the others have left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(dict.fromkeys(("connect", "read", "write", "pool"), seconds))
        self._at = time.monotonic() + seconds

    def get(self, key: str, default: Any = None) -> Any:
        return max(self._at - time.monotonic(), 0.001)

    def check(self, request: httpx.Request) -> None:
        """Raise where the time is over: of the body every byte could come just in time."""
        if time.monotonic() >= self._at:
            raise httpx.ReadTimeout("the answer did not end", request=request)


def read(method: str, message: Mapping[str, object], receive: Callable[[Any], T], timeout: Optional[float]) -> Call[T]:
    """A call that changes nothing."""
    return Call(method, message, receive, timeout=_checked(timeout))


def change(
    method: str,
    message: Mapping[str, object],
    receive: Callable[[Any], T],
    idempotency_key: Optional[str],
    timeout: Optional[float],
) -> Call[T]:
    """A call that changes something. It always has a key, so that it can be repeated."""
    key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
    if not 1 <= len(key) <= MOST_IDEMPOTENCY_KEY or not key.isascii() or not key.isprintable() or key != key.strip():
        why = f"idempotency_key must be 1 to {MOST_IDEMPOTENCY_KEY} printable ASCII characters, no space first or last"
        raise CoinslotError("invalid_idempotency_key", why, "invalid_argument")
    return Call(method, message, receive, key, _checked(timeout))


def _checked(timeout: Optional[float]) -> Optional[float]:
    return None if timeout is None else seconds(timeout)


def following(call: Call[PageT], page: PageT) -> Optional[Call[PageT]]:
    """The call of the page after this one, if there is one."""
    if not page.has_more:
        return None
    message: Dict[str, object] = {**call.message, "cursor": page.next_cursor}
    message.pop("offset", None)  # it counted from the first page
    return replace(call, message=message)


def whole(kind: Type[T]) -> Callable[[Any], T]:
    """The answer as it is."""
    return lambda answer: from_json(kind, answer)


def part(name: str, kind: Type[T]) -> Callable[[Any], T]:
    """The one field that an answer is about."""

    def receive(answer: Any) -> T:
        told = from_json(dict, answer)
        if name not in told:
            raise ValueError(f"it has no {name}")
        return from_json(kind, told[name])

    return receive


def nothing(answer: Any) -> None:
    """An answer that says only that there was no error."""
