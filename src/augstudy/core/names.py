"""Names of classes, which become names of files and parts of addresses."""

import unicodedata
from urllib.parse import unquote

_LONGEST = 200  # bytes; file systems take 255, with the ending .npy and that of a draft


def why_no_class(name: str) -> str:
    """Why `name` cannot be that of a class: it would be read from another place; empty if it can.

    Whatever decodes a name on the way to a file, such as a web server, must find nothing in it that
    leads elsewhere, so the rule holds for the decoded name as well.
    """
    for form in _decoded(name):
        if not form.strip():
            return "it is empty"
        if form in (".", "..") or any(mark in form for mark in "/\\"):
            return "it would lead to another folder"
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in form):
            return "it holds a character that cannot be written"
    if len(name.encode(errors="replace")) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return ""


def _decoded(name: str) -> list[str]:
    """A name, and what percent-decoding makes of it, again and again."""
    forms = [name]
    while (decoded := unquote(forms[-1], errors="replace")) != forms[-1]:
        forms.append(decoded)
    return forms
