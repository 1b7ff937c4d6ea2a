"""What a call is refused with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Dict, Optional, Tuple

import httpx

# What an answer is taken for that is not Coinslot's but, say, that of a proxy: the
# documented code, and the RPC code as Connect has it. Any other status is unknown.
_FOREIGN = {
    400: ("invalid_request", "internal"),
    401: ("unauthorized", "unauthenticated"),
    403: ("forbidden", "permission_denied"),
    404: ("not_found", "unimplemented"),
    429: ("rate_limited", "unavailable"),
    500: ("internal", "unknown"),
    502: ("unavailable", "unavailable"),
    503: ("unavailable", "unavailable"),
    504: ("unavailable", "unavailable"),
}

# The codes of what may be over at the next attempt.
_RETRYABLE = frozenset(["unavailable", "internal", "rate_limited"])

_DETAIL = "pay.v1.Error"


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP, as much of it as was read."""

    url: str
    status: int
    retry_after: str
    kind: str
    body: bytes = b""

    @classmethod
    def of(cls, response: httpx.Response, body: bytes) -> Reply:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return cls(str(response.url), response.status_code, response.headers.get("Retry-After", ""), kind, body)

    @classmethod
    def begun(cls, response: httpx.Response) -> Reply:
        return cls.of(response, b"")


class CoinslotError(Exception):
    """A call that did not succeed.

    code: the documented code, such as `invalid_price`: compare with this.
    message: for the developer who reads it; names the field and what would be right.
    rpc_code: the code of the RPC, such as `invalid_argument`.
    http_status: the answer's status; None where there was no answer.
    retry_after: for how many seconds the server asked to wait, if it did.
    """

    def __init__(
        self,
        code: str,
        message: str,
        rpc_code: str = "unknown",
        http_status: Optional[int] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.rpc_code = rpc_code
        self.http_status = http_status
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def retryable(self) -> bool:
        """Whether the same call, with the same idempotency key, may succeed later."""
        return self.code in _RETRYABLE


def broken(cause: httpx.RequestError) -> CoinslotError:
    """The error of a call that got no answer: what became of it is not known."""
    waited = isinstance(cause, httpx.TimeoutException)
    what = "did not answer in time" if waited else "could not be reached, or hung up"
    rpc_code = "deadline_exceeded" if waited else "unavailable"
    return CoinslotError("unavailable", f"{cause.request.url} {what}: {cause!r}", rpc_code)


def unwritable(cause: ValueError) -> CoinslotError:
    """The error of a request that cannot be written."""
    return CoinslotError("invalid_request", f"the request cannot be written: {cause}", "invalid_argument")


def unreadable(reply: Reply, why: Exception) -> CoinslotError:
    """The error of an answer that is not what the API promises."""
    message = f"{reply.url} gave an answer that cannot be read, is base_url right? {why}"
    return CoinslotError("unknown", message, "unknown", reply.status)


def broken_off(reply: Reply) -> CoinslotError:
    """The error of a stream that stopped before its end."""
    return CoinslotError("unavailable", f"{reply.url} hung up", "unavailable", reply.status)


def refused(reply: Reply) -> CoinslotError:
    """The error that an answer tells of, in Connect's JSON or by its status alone."""
    told = _object(reply.body)
    detail = _detail(told)
    wait = _retry_after(reply.retry_after)
    if detail is not None:
        return CoinslotError(*_told(told, detail), reply.status, wait)
    code, rpc_code = _FOREIGN.get(reply.status, ("unknown", "unknown"))
    message = f"{reply.url} answered {reply.status}, and not as Coinslot does: is base_url right?"
    return CoinslotError(code, message, rpc_code, reply.status, wait)


def ended(reply: Reply, end: Any) -> CoinslotError:
    """The error of a stream that has ended: the one that its last message tells of, else
    that it has ended too early."""
    told = end.get("error") if isinstance(end, dict) else None
    if not isinstance(told, dict):
        return broken_off(reply)
    detail = _detail(told)
    if detail is None:
        return broken_off(reply)
    return CoinslotError(*_told(told, detail), reply.status, _retry_after(reply.retry_after))


def _told(told: Dict[str, Any], detail: Dict[str, Any]) -> Tuple[str, str, str]:
    return str(detail.get("code", "")), str(detail.get("message", "")), str(told.get("code", ""))


def _object(body: bytes) -> Dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _detail(told: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    details = told.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("type") == _DETAIL and isinstance(detail.get("debug"), dict):
            debug: Dict[str, Any] = detail["debug"]
            return debug
    return None


def _retry_after(header: str) -> Optional[float]:
    """Retry-After in seconds; it is a number of them or a date."""
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        wait = (parsedate_to_datetime(header) - datetime.now(timezone.utc)).total_seconds()
    except (TypeError, ValueError):
        return None
    return max(wait, 0.0)
