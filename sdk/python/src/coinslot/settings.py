"""How a client calls: where, as whom, for how long and how often."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from typing import Optional

import httpx

from .errors import CoinslotError

LOCAL_URL = "http://localhost:8080"
DEFAULT_TIMEOUT = 30.0
DEFAULT_RETRIES = 2

# What the protocol can say: milliseconds of ten digits.
MOST_TIMEOUT = 9_999_999.0

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0

# A server that asks for more patience than this is told to the caller instead.
LONGEST_RETRY_AFTER = 60.0

_PREFIXES = {"sk_sandbox_": "sandbox", "sk_production_": "production"}


@dataclass(frozen=True)
class Settings:
    """What every call of one client has in common."""

    access_token: str = field(repr=False)
    base_url: str
    environment: Optional[str]
    timeout: float
    retries: int

    def wait(self, error: CoinslotError, attempt: int) -> Optional[float]:
        """How many seconds to wait after an attempt, counted from 0, until the next one;
        None where there should be none.

        That every call may be repeated is the calls' doing: each one is a read or has an
        idempotency key.
        """
        if not error.retryable or attempt >= self.retries:
            return None
        return self.pause(error, attempt)

    def pause(self, error: CoinslotError, attempt: int) -> Optional[float]:
        """How many seconds to wait after an attempt, however many there have been; None
        where the server asks for too many."""
        asked = error.retry_after or 0.0
        if asked > LONGEST_RETRY_AFTER:
            return None
        backoff: float = min(FIRST_WAIT * 2**attempt, LONGEST_WAIT)
        return max(asked, random.uniform(backoff / 2, backoff))


def settle(
    access_token: Optional[str],
    environment: Optional[str],
    base_url: Optional[str],
    timeout: float,
    retries: int,
) -> Settings:
    """Settings from what the caller gave, the environment's variables and the defaults.

    Raises ValueError for what is missing or contradicts itself. No message shows the token.
    """
    token = _token(access_token or os.environ.get("COINSLOT_ACCESS_TOKEN") or "")
    known = next((name for prefix, name in _PREFIXES.items() if token.startswith(prefix)), None)
    if environment not in (None, *_PREFIXES.values()):
        raise ValueError(f'environment must be "sandbox" or "production", got "{environment}"')
    if environment and known and environment != known:
        raise ValueError(f'environment is "{environment}", but the access token is one of {known}')
    environment = environment or known
    url = base_url or os.environ.get("COINSLOT_BASE_URL") or (LOCAL_URL if environment == "sandbox" else "")
    if not url:
        raise ValueError(
            "base_url is missing: give the URL of your server, such as https://pay.example.com, or set COINSLOT_BASE_URL"
        )
    if retries < 0:
        raise ValueError(f"retries must not be negative, got {retries}")
    return Settings(token, _address(url), environment, seconds(timeout), retries)


def _token(given: str) -> str:
    token = given.strip()
    if not token:
        raise ValueError(
            "access_token is missing: give one that `coinslot keys create` made, or set COINSLOT_ACCESS_TOKEN"
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ValueError("access_token has characters that no access token has")
    return token


# Without what was given: it may hold a secret.
_WRONG_URL = "base_url must look like https://pay.example.com, without user, query or fragment"


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as e:
        raise ValueError(_WRONG_URL) from e
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo or "?" in url or "#" in url:
        raise ValueError(_WRONG_URL)
    return url.rstrip("/")


def seconds(timeout: float) -> float:
    """A timeout as it was given, if it can be one."""
    if not 0 < timeout <= MOST_TIMEOUT:
        raise ValueError(f"timeout must be a positive number of seconds, got {timeout}")
    return timeout
