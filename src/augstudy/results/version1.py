"""Turns what version 1 wrote, numbers and sentences mixed, into what the models read today.

The sentences are left out, since pages make them; what only a sentence said is read off it.
"""

import re
from collections.abc import Mapping
from typing import Any

from augstudy.settings.arms import spelled

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
        new["headline"]["arm"] = spelled(old["headline"]["arm"] or "") or None
    if new["kind"] == "gan_sweep":  # its headline had a word of its own
        found = old["differences"].get(old["chosen"]) or {}
        new["headline"]["verdict"] = found.get("verdict")
        new["points"] = {name: _generator(point) for name, point in old["points"].items()}
    return new


def _study(old: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("gan", "discriminator", "synthetic", "curation")
    return {
        **{name: old.get(name) for name in kept},
        "left_out": _by_arm(old["left_out"]),
        "arms": _by_arm({name: _without(arm, "title") for name, arm in old["arms"].items()}),
        "differences": _by_arm(
            {name: _compared(item) for name, item in old["differences"].items()}
        ),
        "pairs": [_compared(item) for item in old["pairs"]],
        "label_noise": {**old["label_noise"], "arms": _by_arm(old["label_noise"]["arms"])},
        "power": _without(old["power"], "sentence"),
    }


def _by_arm(old: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept for each arm, by its label as it is spelled now."""
    return {spelled(label): item for label, item in old.items()}


def _compared(old: Mapping[str, Any]) -> dict[str, Any]:
    arms = {name: spelled(old[name]) for name in ("arm", "against")}
    return _without(old, *_WORDS) | arms | {"needs": needs(str(old["needs"]))}


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
