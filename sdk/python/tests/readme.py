"""The Python of the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, Tuple

README = Path(__file__).resolve().parents[1] / "README.md"

PLAYER_PAYS = "<!-- the player pays -->"


def blocks() -> List[Tuple[str, str, bool]]:
    """Each block's heading and text, and whether the player pays before it."""
    found = []
    heading, paid = "", False
    for part in re.split(r"(?ms)(^```python\n.*?^```$)", README.read_text()):
        if part.startswith("```python\n"):
            found.append((heading, part[len("```python\n") : -len("```")], paid))
            paid = False
            continue
        heading = (re.findall(r"(?m)^## (.*)$", part) or [heading])[-1]
        paid = paid or PLAYER_PAYS in part
    return found


def program() -> str:
    """All blocks, one after the other."""
    return "\n\n".join(text for _, text, _ in blocks())
