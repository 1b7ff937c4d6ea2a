"""Verifying webhooks, by whichever of the two signatures a request has."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass, field
from typing import Callable, List, Mapping, Optional, Sequence, Union

from .convert import from_json
from .entities import Event

DEFAULT_TOLERANCE = 300

# Whoever sends a request says how many signatures there are: so many are looked at.
MOST_SIGNATURES = 32

_PREFIX = "whsec_"

_SECONDS = re.compile(r"[1-9][0-9]{0,11}")


class WebhookError(Exception):
    """A request that must not be believed: answer it with 400.

    reason: `missing_signature`, `malformed_signature`, `timestamp_out_of_tolerance`,
    `wrong_signature` or `malformed_body`.
    """

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


@dataclass(frozen=True)
class _Key:
    """A secret, as it is written and as what it stands for."""

    text: bytes = field(repr=False)
    decoded: bytes = field(repr=False)


@dataclass(frozen=True)
class _Signed:
    """What a request claims: when it was signed, what comes before the body, the
    signatures, and how one is made with a secret."""

    at: int
    before: bytes
    signatures: List[str]
    sign: Callable[[_Key, bytes], str]


def verify_webhook(
    body: Union[bytes, str],
    headers: Mapping[str, str],
    secrets: Union[str, Sequence[str]],
    *,
    tolerance: float = DEFAULT_TOLERANCE,
    now: Optional[float] = None,
) -> Event:
    """The event that a request tells of, if it is from Coinslot and fresh.

    body: as it came, before any decoding of JSON.
    headers: by any case of their names. `webhook-signature` decides where it is there,
        else `X-ToffeePay-Signature`.
    secrets: the endpoint's; while one is replaced, the old one too.
    tolerance: for how many seconds a signature is good, in either direction.
    now: Unix seconds; by default the clock's.

    Raises WebhookError; ValueError, before all else, where no secret is given, or one that
    is empty or not base64.
    """
    keys = _keys([secrets] if isinstance(secrets, str) else list(secrets))
    raw = body.encode() if isinstance(body, str) else bytes(body)
    signed = _signed({name.lower(): value for name, value in headers.items()})
    if abs((time.time() if now is None else now) - signed.at) > tolerance:
        why = f"the request was not signed within {tolerance:g} seconds of now"
        raise WebhookError("timestamp_out_of_tolerance", why)
    if not _matches(signed, raw, keys):
        raise WebhookError("wrong_signature", "none of the signatures is that of a secret for this body")
    return _event(raw)


def _keys(secrets: Sequence[str]) -> List[_Key]:
    """The secrets, all of them usable, whichever signature will be looked at: anybody can
    sign by an empty key."""
    if not secrets:
        raise ValueError("secrets must hold the endpoint's signing secret, which begins with whsec_")
    return [_key(secret) for secret in secrets]


def _key(secret: str) -> _Key:
    encoded = secret[len(_PREFIX) :] if secret.startswith(_PREFIX) else secret
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded or base64.b64encode(decoded).decode() != encoded:  # which has other spellings
        raise ValueError("a signing secret must be whsec_ and base64")
    return _Key(secret.encode(), decoded)


def _signed(headers: Mapping[str, str]) -> _Signed:
    standard = headers.get("webhook-signature", "")
    if standard:
        return _standard(standard, headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""))
    toffee = headers.get("x-toffeepay-signature", "")
    if toffee:
        return _toffee(toffee)
    raise WebhookError("missing_signature", "there is neither webhook-signature nor X-ToffeePay-Signature")


def _standard(header: str, id: str, at: str) -> _Signed:
    pairs = [entry.partition(",") for entry in header.split(" ")]
    if not id:
        raise WebhookError("malformed_signature", "webhook-signature needs webhook-id")
    return _claim(at, f"{id}.{at}.", [signature for version, _, signature in pairs if version == "v1"], _sign_standard)


def _toffee(header: str) -> _Signed:
    pairs = [entry.partition("=") for entry in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1:
        raise WebhookError("malformed_signature", "X-ToffeePay-Signature must have one t")
    return _claim(times[0], f"{times[0]}.", [value for name, _, value in pairs if name == "v1"], _sign_toffee)


def _claim(at: str, before: str, signatures: List[str], sign: Callable[[_Key, bytes], str]) -> _Signed:
    if _SECONDS.fullmatch(at) is None:
        raise WebhookError("malformed_signature", "the time must be Unix seconds")
    if not signatures:
        raise WebhookError("malformed_signature", "there is no v1 among the signatures")
    return _Signed(int(at), _bytes(before), signatures[:MOST_SIGNATURES], sign)


def _sign_standard(key: _Key, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key.decoded, content, hashlib.sha256)).decode()


def _sign_toffee(key: _Key, content: bytes) -> str:
    return hmac.digest(key.text, content, hashlib.sha256).hex()


def _matches(signed: _Signed, body: bytes, keys: Sequence[_Key]) -> bool:
    found = False
    for key in keys:
        expected = _bytes(signed.sign(key, signed.before + body))
        for signature in signed.signatures:
            found |= hmac.compare_digest(expected, _bytes(signature))
    return found


def _bytes(header: str) -> bytes:
    return header.encode("utf-8", "surrogatepass")


def _event(body: bytes) -> Event:
    try:
        told = json.loads(body.decode())
        if not isinstance(told, dict):
            raise ValueError("it is no object")
        event = from_json(Event, told)
        if not event.id or not event.type:
            raise ValueError("it has no id or no type")
    except ValueError as e:
        raise WebhookError("malformed_body", f"the body is no event: {e}") from e
    return event
