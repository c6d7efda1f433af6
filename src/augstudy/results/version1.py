"""Turns what version 1 wrote, numbers and sentences mixed, into what the models read today.

The sentences are left out, since pages make them; what only a sentence said is read off it.
"""

import re
from collections.abc import Mapping
from typing import Any

_WORDS = ("outcome", "sentence", "covers")
_REASONS = {
    "there was no champion": "first",
    "bit for bit": "same",
    "learnt from every test image": "no_images",
    "does not rule out": "not_ruled_out",
    "rules out": "ruled_out",
}


def summary(old: Mapping[str, Any]) -> dict[str, Any]:
    """A summary.json of any kind.

    Raises:
        KeyError, TypeError: it lacks what every summary has.
    """
    new = {**_without(old, "flat"), "schema_version": 2, "kind": old.get("kind", "study")}
    new["headline"] = {name: old["headline"][name] for name in ("arm", "verdict")}
    if new["kind"] == "study":
        new |= _study(old)
    if new["kind"] == "gan_sweep":  # its headline had a word of its own
        found = old["differences"].get(old["chosen"]) or {}
        new["headline"]["verdict"] = found.get("verdict")
        new["points"] = {name: _generator(point) for name, point in old["points"].items()}
    return new


def _study(old: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("gan", "discriminator", "synthetic", "curation")
    return {
        **{name: old.get(name) for name in kept},
        "arms": {label: _without(arm, "title") for label, arm in old["arms"].items()},
        "differences": {label: _difference(item) for label, item in old["differences"].items()},
        "pairs": [_difference(item) for item in old["pairs"]],
        "power": _without(old["power"], "sentence"),
    }


def _generator(point: Mapping[str, Any]) -> dict[str, Any]:
    told = zip(point["verdicts"], point["reasons"], strict=True)
    return {**point, "reasons": [{"verdict": verdict, "reason": said} for verdict, said in told]}


def decision(old: Mapping[str, Any]) -> dict[str, Any]:
    """A decision.json.

    Raises:
        KeyError, TypeError: it lacks what every decision has.
        ValueError: its reason is none that version 1 gave.
    """
    said = str(old["reason"])
    codes = [code for words, code in _REASONS.items() if words in said]
    if not codes:
        raise ValueError(f"the reason {said!r} is unknown")
    return {**_without(old, "flat"), "schema_version": 2, "reason": codes[0]}


def _difference(old: Mapping[str, Any]) -> dict[str, Any]:
    return _without(old, *_WORDS) | {"needs": needs(str(old["needs"]))}


def needs(said: str) -> dict[str, Any] | None:
    """``about 4 more seeds or 1,200 more test images`` in numbers."""
    if said == "more than one seed":
        return None
    counts = {
        what: int(found[1].replace(",", ""))
        for what, word in (("seeds", "seed"), ("images", "test image"))
        if (found := re.search(rf"([\d,]+) more {word}", said))
    }
    if "together with" in said:
        return {"seeds": None, "images": None, "both": (counts["seeds"], counts["images"])}
    return {"seeds": None, "images": None, "both": None} | counts


def _without(old: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in old.items() if name not in names}
