"""What a call is refused with."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Optional

import httpx

# What an answer that is not Coinslot's, such as a proxy's, is taken for.
_RPC_CODES = {
    400: "internal",
    401: "unauthenticated",
    403: "permission_denied",
    404: "unimplemented",
    429: "unavailable",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}

# The documented code where an answer has none of its own.
_CODES = {
    "unauthenticated": "unauthorized",
    "permission_denied": "forbidden",
    "deadline_exceeded": "unavailable",
}

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
        return self.code == "rate_limited" or self.rpc_code in ("unavailable", "internal", "deadline_exceeded")


def broken(cause: httpx.RequestError) -> CoinslotError:
    """The error of a call that got no answer: what became of it is not known."""
    waited = isinstance(cause, httpx.TimeoutException)
    what = "did not answer in time" if waited else "could not be reached, or hung up"
    rpc_code = "deadline_exceeded" if waited else "unavailable"
    return CoinslotError("unavailable", f"{cause.request.url} {what}: {cause!r}", rpc_code)


def unreadable(response: httpx.Response, why: Exception) -> CoinslotError:
    """The error of an answer that is not what the API promises."""
    return CoinslotError("internal", f"{response.url} gave an answer that cannot be read: {why}", "internal", response.status_code)


def refused(response: httpx.Response) -> CoinslotError:
    """The error that an answer tells of, in Connect's JSON or by its status alone."""
    told = _object(response)
    rpc_code = told.get("code")
    if not isinstance(rpc_code, str):
        rpc_code = _RPC_CODES.get(response.status_code, "unknown")
    message = told.get("message")
    if not isinstance(message, str):
        message = f"{response.url} answered {response.status_code}, and not as Coinslot does: is base_url right?"
    detail = _detail(told)
    code = detail.get("code", _CODES.get(rpc_code, rpc_code))
    return CoinslotError(code, detail.get("message", message), rpc_code, response.status_code, _retry_after(response))


def _object(response: httpx.Response) -> Any:
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _detail(told: Any) -> Any:
    for detail in told.get("details") or ():
        if isinstance(detail, dict) and detail.get("type") == _DETAIL and isinstance(detail.get("debug"), dict):
            return detail["debug"]
    return {}


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
