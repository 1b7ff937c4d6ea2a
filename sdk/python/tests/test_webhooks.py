"""The verifier, by the vectors that all verifiers share."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Dict, List

import pytest
from shop import ROOT

from coinslot import Event, WebhookError, verify_webhook

Vector = Dict[str, Any]

VECTORS: List[Vector] = json.loads((ROOT / "sdk" / "webhook-vectors.json").read_text())["vectors"]


def told(event: Event) -> Dict[str, Any]:
    """An event in the words of the vectors."""
    ids = {name: getattr(event.data, name) for name in ("session_id", "payment_id", "refund_id")}
    return {
        "id": event.id,
        "type": event.type,
        "sequence": event.sequence,
        "environment": event.environment,
        **{name: id for name, id in ids.items() if id is not None},
    }


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v["name"]))
def test_the_shared_vectors(vector: Vector) -> None:
    def verify(body: "bytes | str") -> Event:
        return verify_webhook(
            body, vector["headers"], vector["secrets"], tolerance=vector["tolerance"], now=vector["now"]
        )

    for body in (vector["body"], vector["body"].encode()):
        if vector["accepted"]:
            assert told(verify(body)) == vector["event"]
            continue
        if vector["reason"] == "secret":  # the receiver's mistake, whatever the request is
            with pytest.raises(ValueError, match="secret") as mistake:
                verify(body)
            assert not any(len(s) > len("whsec_") and s in str(mistake.value) for s in vector["secrets"])
            continue
        with pytest.raises(WebhookError) as refusal:
            verify(body)
        assert refusal.value.reason == vector["reason"]
        assert str(refusal.value).startswith(vector["reason"] + ": ")


def good(name: str = "both signatures, as Coinslot sends them") -> Vector:
    return next(v for v in VECTORS if v["name"] == name)


def test_the_time_is_the_clocks_by_default() -> None:
    v = good()
    with pytest.raises(WebhookError, match="timestamp_out_of_tolerance"):
        verify_webhook(v["body"], v["headers"], v["secrets"])
    age = time.time() - v["now"]
    assert verify_webhook(v["body"], v["headers"], v["secrets"], tolerance=age + 60).id == v["event"]["id"]


def test_one_secret_may_be_given_as_it_is() -> None:
    v = good()
    assert verify_webhook(v["body"], v["headers"], v["secrets"][0], now=v["now"]).type == v["event"]["type"]


def test_a_body_that_is_no_text_is_no_event() -> None:
    for body in (b'{"id":"\xff","type":"a"}', '{"id":"1","type":"a"}'.encode("utf-16")):
        signature = hmac.new(b"whsec_AAAA", b"1." + body, hashlib.sha256).hexdigest()
        with pytest.raises(WebhookError, match="malformed_body"):
            verify_webhook(body, {"X-ToffeePay-Signature": f"t=1,v1={signature}"}, "whsec_AAAA", now=1)
