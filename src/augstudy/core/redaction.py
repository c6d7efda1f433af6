"""Keeps credentials out of what people and logs see.

Our own sentences never hold one. Tracebacks quote other libraries, though, and those may quote an
address, a header or an answer with a credential in it.
"""

import os
import re

_HIDDEN = "***"
_IN_ADDRESS = re.compile(r"(\w://)[^/\s'\"@]+@")
_BEARER = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{6,}")
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE_KEY", re.IGNORECASE)
_SHORTEST = 6  # shorter values, such as "1", are no secrets


def without_secrets(text: str) -> str:
    """`text` without user and password in addresses, bearer tokens, and secrets of variables."""
    text = _IN_ADDRESS.sub(rf"\1{_HIDDEN}@", text)
    text = _BEARER.sub(rf"\1{_HIDDEN}", text)
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _SECRET_NAME.search(name):
            text = text.replace(value, _HIDDEN)
    return text
