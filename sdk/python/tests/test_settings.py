"""The options of a client, and what they default to."""

from __future__ import annotations

from typing import Any, Type, Union

import pytest

from coinslot import AsyncCoinslot, Coinslot
from coinslot.settings import Settings

SANDBOX, PRODUCTION = "sk_sandbox_secret", "sk_production_secret"

Client = Union[Type[Coinslot], Type[AsyncCoinslot]]


def settings(client: Client, **options: Any) -> Settings:
    return client(**options)._settings


@pytest.fixture(params=[Coinslot, AsyncCoinslot])
def client(request: pytest.FixtureRequest) -> Client:
    kind: Client = request.param
    return kind


def test_a_sandbox_token_is_enough(client: Client) -> None:
    s = settings(client, access_token=SANDBOX)
    assert (s.base_url, s.environment, s.timeout, s.retries) == ("http://localhost:8080", "sandbox", 30, 2)


def test_options_come_before_the_environments_variables(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSLOT_ACCESS_TOKEN", PRODUCTION + "\n")
    monkeypatch.setenv("COINSLOT_BASE_URL", "https://pay.example.com/")
    s = settings(client)
    assert (s.access_token, s.base_url, s.environment) == (PRODUCTION, "https://pay.example.com", "production")
    s = settings(client, access_token=SANDBOX, base_url="http://127.0.0.1:1/below/")
    assert (s.access_token, s.base_url, s.environment) == (SANDBOX, "http://127.0.0.1:1/below", "sandbox")


def test_a_token_of_another_form_needs_a_url_alone(client: Client) -> None:
    assert settings(client, access_token="other", base_url="https://a.example").environment is None
    assert settings(client, access_token="other", environment="sandbox").base_url == "http://localhost:8080"


@pytest.mark.parametrize(
    "options, why",
    [
        ({}, "access_token is missing: .* COINSLOT_ACCESS_TOKEN"),
        ({"access_token": " "}, "access_token is missing"),
        ({"access_token": "sk_sandbox_secret\r\nA: b"}, "access_token has characters"),
        ({"access_token": "Bearer sk_sandbox_secret"}, "access_token has characters"),
        ({"access_token": "sk_sandbox_sécret"}, "access_token has characters"),
        ({"access_token": PRODUCTION}, "base_url is missing: .* COINSLOT_BASE_URL"),
        ({"access_token": "other"}, "base_url is missing"),
        ({"access_token": SANDBOX, "environment": "production"}, 'environment is "production", but .* sandbox'),
        ({"access_token": PRODUCTION, "environment": "sandbox", "base_url": "https://a.example"}, "one of production"),
        ({"access_token": SANDBOX, "environment": "test"}, 'must be "sandbox" or "production", got "test"'),
        ({"access_token": SANDBOX, "base_url": "pay.example.com"}, "base_url must look like"),
        ({"access_token": SANDBOX, "base_url": "ftp://pay.example.com"}, "base_url must look like"),
        ({"access_token": SANDBOX, "base_url": "http://a.example/?b=secret"}, "base_url must look like"),
        ({"access_token": SANDBOX, "base_url": "http://a.example/?"}, "base_url must look like"),
        ({"access_token": SANDBOX, "base_url": "http://a.example/#secret"}, "base_url must look like"),
        ({"access_token": SANDBOX, "base_url": "http://a:secret@a.example"}, "base_url must look like"),
        ({"access_token": SANDBOX, "timeout": 0}, "timeout must be a positive number"),
        ({"access_token": SANDBOX, "timeout": float("inf")}, "timeout must be a positive number"),
        ({"access_token": SANDBOX, "timeout": float("nan")}, "timeout must be a positive number"),
        ({"access_token": SANDBOX, "retries": -1}, "retries must not be negative"),
    ],
)
def test_what_makes_no_sense_is_refused_without_showing_the_token(client: Client, options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why) as error:
        client(**options)
    assert "secret" not in str(error.value)


def test_the_token_is_not_in_what_is_printed(client: Client) -> None:
    made = client(access_token=SANDBOX)
    assert "secret" not in repr(made) + repr(vars(made))


def test_a_timeout_of_one_call_is_checked_too(client: Client) -> None:
    with pytest.raises(ValueError, match="timeout"):
        Coinslot(access_token=SANDBOX).sessions.status("sess_1", timeout=-1)
