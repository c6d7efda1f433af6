"""The templates of all pages, and what they may call; a style sheet that they share."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape


@lru_cache
def environment() -> jinja2.Environment:
    """The templates; what is inserted is escaped, a missing value is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_keep_units,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["quotes"] = lambda text: text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    made.filters["code"] = _code
    made.filters["css"] = lambda text: re.sub(r"[^a-z]+", "-", text)
    made.filters["minus"] = _minus
    return made


def _minus(text: str) -> str:
    """Text with true minus signs before numbers; what is safe HTML stays so."""
    return type(text)(re.sub(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", text))


def _code(text: str) -> Markup:
    """Text with `names` in backquotes as HTML, escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def _keep_units(value: Any) -> Any:
    """Keep a number and its per cent sign on one line."""
    return value.replace(" %", "\N{NO-BREAK SPACE}%") if isinstance(value, str) else value
