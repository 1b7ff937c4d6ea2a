"""The codes are those of the contract, as the Go client has them."""

from __future__ import annotations

import re

from shop import ROOT

from coinslot import codes


def test_the_codes_are_the_contracts() -> None:
    go = (ROOT / "sdk" / "go" / "codes.go").read_text()
    want = set(re.findall(r'\t\w+ += "(\w+)"', go)) - {"canceled"}  # which is how a context ends in Go
    mine = {name: value for name, value in vars(codes).items() if name.isupper()}
    assert len(want) > 40 and set(mine.values()) == want
    assert all(name == value.upper() for name, value in mine.items())
