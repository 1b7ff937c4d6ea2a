"""What a call is refused with."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Dict, Optional

import httpx

# What an answer is taken for that is not Coinslot's but, say, that of a proxy: the
# documented code, and the RPC code as Connect has it.
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


def unreadable(response: httpx.Response, why: Exception) -> CoinslotError:
    """The error of an answer that is not what the API promises."""
    message = f"{response.url} gave an answer that cannot be read: {why}"
    return CoinslotError("unknown", message, "unknown", response.status_code)


def refused(response: httpx.Response) -> CoinslotError:
    """The error that an answer tells of, in Connect's JSON or by its status alone."""
    status, told = response.status_code, _object(response)
    detail = _detail(told)
    if detail is None:
        code, rpc_code = _FOREIGN.get(status, ("unknown", "unknown"))
        message = f"{response.url} answered {status}, and not as Coinslot does: is base_url right?"
    else:
        code, rpc_code = str(detail.get("code", "")), str(told.get("code", ""))
        message = str(detail.get("message", ""))
    return CoinslotError(code, message, rpc_code, status, _retry_after(response))


def _object(response: httpx.Response) -> Dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _detail(told: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    for detail in told.get("details") or ():
        if isinstance(detail, dict) and detail.get("type") == _DETAIL and isinstance(detail.get("debug"), dict):
            debug: Dict[str, Any] = detail["debug"]
            return debug
    return None


def _retry_after(response: httpx.Response) -> Optional[float]:
    """Retry-After in seconds; it is a number of them or a date."""
    header = response.headers.get("Retry-After", "")
    if header.isdecimal():
        return float(header)
    try:
        wait = (parsedate_to_datetime(header) - datetime.now(timezone.utc)).total_seconds()
    except (TypeError, ValueError):
        return None
    return max(wait, 0.0)
