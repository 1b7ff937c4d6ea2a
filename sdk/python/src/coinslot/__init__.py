"""Coinslot: sell game items through a payment-session server of your own.

    client = Coinslot(access_token="sk_sandbox_…")
    session = client.checkout(
        game_id="space_shooter",
        user_id="player_42",
        item=Item(title="50 Gold Coins", price=499, currency="USD"),
        return_url="mygame://payment-complete",
    )
    print(session.url)
"""

from . import codes
from .aio import AsyncCoinslot
from .client import Coinslot
from .entities import (
    Event,
    EventData,
    EventPage,
    Failure,
    Item,
    Page,
    Payment,
    PaymentExtraData,
    PaymentPage,
    Refund,
    RefundPage,
    Session,
    SessionMetadata,
    SessionPage,
    SessionStatus,
    Tax,
    WatchedEvent,
)
from .errors import CoinslotError
from .version import __version__
from .webhooks import WebhookError, verify_webhook

__all__ = [
    "AsyncCoinslot",
    "Coinslot",
    "CoinslotError",
    "Event",
    "EventData",
    "EventPage",
    "Failure",
    "Item",
    "Page",
    "Payment",
    "PaymentExtraData",
    "PaymentPage",
    "Refund",
    "RefundPage",
    "Session",
    "SessionMetadata",
    "SessionPage",
    "SessionStatus",
    "Tax",
    "WatchedEvent",
    "WebhookError",
    "__version__",
    "codes",
    "verify_webhook",
]
