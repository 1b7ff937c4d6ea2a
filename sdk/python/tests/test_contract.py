"""The package has all of proto/pay/v1: every field, every method, nothing else."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import subprocess
from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, get_type_hints

import pytest
from shop import ROOT

import coinslot
from coinslot import AsyncCoinslot, Coinslot, calls
from coinslot.call import Call

Json = Dict[str, Any]

# Messages that have another name here.
NAMES = {
    "Error": "Failure",
    "GetSessionStatusResponse": "SessionStatus",
    "ListSessionsResponse": "SessionPage",
    "ListPaymentsResponse": "PaymentPage",
    "ListRefundsResponse": "RefundPage",
    "ListEventsResponse": "EventPage",
}

# Answers of which only the entity is handed on, or nothing.
UNWRAPPED = {
    "CreateSessionResponse": "session",
    "GetSessionResponse": "session",
    "GetPaymentResponse": "payment",
    "CreateRefundResponse": "refund",
    "GetRefundResponse": "refund",
    "GetEventResponse": "event",
    "AcknowledgeEventsResponse": "cursor",
    "CancelSessionResponse": None,
    "CompletePaymentResponse": None,
    "CancelPaymentResponse": None,
}

# Messages that need not be there although they are not marked `optional`.
MAYBE = {("EventData", "session"), ("EventData", "payment"), ("EventData", "refund")}

# What a caller may leave out although proto3 cannot say so.
DEFAULTS = {("ListEventsRequest", "types")}

# Where a method stands on a client. `all` stands next to every `list`.
PLACES = {
    "CreateSession": ["checkout", "sessions.create"],
    "GetSession": ["sessions.get"],
    "GetSessionStatus": ["sessions.status"],
    "ListSessions": ["sessions.list", "sessions.all"],
    "CancelSession": ["sessions.cancel"],
    "GetPayment": ["payments.get"],
    "ListPayments": ["payments.list", "payments.all"],
    "CompletePayment": ["payments.complete"],
    "CancelPayment": ["payments.cancel"],
    "CreateRefund": ["refund", "refunds.create"],
    "GetRefund": ["refunds.get"],
    "ListRefunds": ["refunds.list", "refunds.all"],
    "GetEvent": ["events.get"],
    "ListEvents": ["events.list", "events.all"],
    "AcknowledgeEvents": ["events.acknowledge"],
}


def described() -> Tuple[Dict[str, Json], Dict[str, Json]]:
    """The messages and the methods of pay.v1, but for the streams."""
    command = ["go", "tool", "-modfile=tools.mod", "buf", "build", "--exclude-source-info", "-o", "-#format=json"]
    files = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)["file"]
    ours = [f for f in files if f.get("package") == "pay.v1"]
    messages = {m["name"]: m for f in ours for m in f.get("messageType", [])}
    every = [{**m, "service": s["name"]} for f in ours for s in f.get("service", []) for m in s["method"]]
    for stream in (m for m in every if m.get("serverStreaming")):
        for end in ("inputType", "outputType"):
            del messages[stream[end].split(".")[-1]]
    methods = {m["name"]: m for m in every if not m.get("serverStreaming")}
    assert "Session" in messages and "CreateSession" in methods
    return messages, methods


def streams() -> Dict[str, List[Json]]:
    """The fields of the requests of each method that goes on."""
    command = ["go", "tool", "-modfile=tools.mod", "buf", "build", "--exclude-source-info", "-o", "-#format=json"]
    files = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)["file"]
    ours = [f for f in files if f.get("package") == "pay.v1"]
    messages = {m["name"]: m.get("field", []) for f in ours for m in f.get("messageType", [])}
    every = [m for f in ours for s in f.get("service", []) for m in s["method"] if m.get("serverStreaming")]
    return {m["name"]: messages[m["inputType"].split(".")[-1]] for m in every}


MESSAGES, METHODS = described()
REQUESTS = {m["inputType"].split(".")[-1] for m in METHODS.values()}
ENTITIES = sorted(set(MESSAGES) - REQUESTS - set(UNWRAPPED))

SCALARS = {"TYPE_STRING": str, "TYPE_INT32": int, "TYPE_BOOL": bool}
KNOWN = {".google.protobuf.Timestamp": datetime, ".google.protobuf.Duration": timedelta}


def snake(method: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower()


def kind(message: str, field: Json, *, asked: bool = False) -> Any:
    """The annotation that a field of an entity should have, or of what is asked."""
    pairs = [n for n in MESSAGES[message].get("nestedType", []) if n.get("options", {}).get("mapEntry")]
    if field.get("typeName", "").split(".")[-1] in [n["name"] for n in pairs]:
        return Mapping[str, str]
    of: Any = SCALARS.get(field["type"]) or KNOWN.get(field["typeName"])
    if of is None:
        name = field["typeName"].split(".")[-1]
        of = getattr(coinslot, NAMES.get(name, name))
    if field["label"] == "LABEL_REPEATED":
        return Sequence[of] if asked else Tuple[of, ...]
    if field.get("proto3Optional") or (message, field["name"]) in MAYBE:
        return Optional[of]
    return of


def fields(message: str) -> List[Json]:
    every: List[Json] = MESSAGES[message].get("field", [])
    return every


@pytest.mark.parametrize("message", ENTITIES)
def test_every_field_of_an_entity_is_there(message: str) -> None:
    entity = getattr(coinslot, NAMES.get(message, message))
    hints = get_type_hints(entity)
    want = {f["name"]: kind(message, f) for f in fields(message)}
    assert {f.name: hints[f.name] for f in dataclasses.fields(entity)} == want
    assert entity.__dataclass_params__.frozen


@pytest.mark.parametrize("message", sorted(UNWRAPPED))
def test_an_answer_that_is_unwrapped_holds_nothing_more(message: str) -> None:
    only = UNWRAPPED[message]
    named = {f["name"] for f in fields(message)} - {"id"}
    copies = {f["name"] for f in fields(message) if f.get("options", {}).get("deprecated")}
    assert named - copies == ({only} if only else set())


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_field_of_a_request_can_be_asked_for(method: str) -> None:
    request = METHODS[method]["inputType"].split(".")[-1]
    build = getattr(calls, snake(method))
    hints, parameters = get_type_hints(build), inspect.signature(build).parameters
    options = {"timeout": Optional[float]}
    if METHODS[method].get("options", {}).get("idempotencyLevel") != "NO_SIDE_EFFECTS":
        options["idempotency_key"] = Optional[str]
    want = {f["name"]: kind(request, f, asked=True) for f in fields(request)}
    assert {name: hints[name] for name in parameters} == {**want, **options}
    for f in fields(request):
        optional = f.get("proto3Optional", False) or (request, f["name"]) in DEFAULTS
        assert (parameters[f["name"]].default is not inspect.Parameter.empty) == optional, f["name"]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_field_of_a_request_is_sent_to_its_method(method: str) -> None:
    request = METHODS[method]["inputType"].split(".")[-1]
    given = {f["name"]: object() for f in fields(request)}
    if "types" in given:
        given["types"] = ["payment.succeeded"]
    call: Call[Any] = getattr(calls, snake(method))(**given)
    assert call.method == "{}/{}".format(METHODS[method]["service"], method)
    assert call.message == given
    reads = METHODS[method].get("options", {}).get("idempotencyLevel") == "NO_SIDE_EFFECTS"
    assert (call.idempotency_key is None) == reads


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("client", [Coinslot, AsyncCoinslot])
def test_every_method_is_on_both_clients(client: Any, method: str) -> None:
    for place in PLACES[method]:
        found: Any = client(access_token="sk_sandbox_1")
        for name in place.split("."):
            found = getattr(found, name)
        build = getattr(calls, snake(method))
        assert list(inspect.signature(found).parameters) == list(inspect.signature(build).parameters)
        assert found.__doc__ == build.__doc__


WATCHES = {"WatchEvents": ("watch_events", "events.watch"), "WatchSession": ("watch_session", "sessions.watch")}


@pytest.mark.parametrize("method, fields_", list(streams().items()))
@pytest.mark.parametrize("client", [Coinslot, AsyncCoinslot])
def test_every_stream_can_be_watched(client: Any, method: str, fields_: List[Json]) -> None:
    build_name, place = WATCHES[method]
    build = getattr(calls, build_name)
    names = [f["name"] for f in fields_]
    assert list(inspect.signature(build).parameters) == names
    given = {name: ["a"] if name == "types" else object() for name in names}
    watch = build(**given)
    assert (watch.method, watch.message) == ("EventService/" + method, given)
    part, name = place.split(".")
    found = getattr(getattr(client(access_token="sk_sandbox_1"), part), name)
    assert list(inspect.signature(found).parameters) == names and found.__doc__ == build.__doc__
