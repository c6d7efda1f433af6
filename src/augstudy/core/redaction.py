"""Keeps credentials out of all that is written: terminals, logs, events and records.

Our own sentences never hold one. People type them into the wrong place, though, and tracebacks
quote other libraries, which may quote an address, a header or an answer. So whatever leaves the
program passes :func:`without_secrets`, which hides what is known to be a secret (what the
environment and the credentials in use hold, see :func:`conceal`) and what looks like one.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
_SHORTEST = 6  # shorter values, such as "1", are no secrets

_NAME = r"(?:secret|token|passw(?:or)?d|passphrase|pwd|credential|signature|hmac|api[_-]?key"
_NAME += r"|access[_-]?key|account[_-]?key|private[_-]?key|auth[_-]?key)"
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)
# Variables that say where a secret is, and not what it is.
_PLACE = re.compile(
    r"_(PATH|FILE|DIR|FOLDER|SOCK|SOCKET|HOST|URI|URL|NAME)$|^GOOGLE_APPLICATION_|^(OLD)?PWD$"
)
_OPTION = re.compile(rf"--?[\w-]*(?:{_NAME}|tok|pass|key\b|cred)[\w-]*", re.IGNORECASE)
_ASSIGNED = re.compile(rf"[\w.-]*{_NAME}[\w.-]*=", re.IGNORECASE)
_PASSWORD = re.compile(r"\w://[^\s:/@]*:(\S+)@")

# What a value behind a name may hold: everything up to a blank, a quote or the next parameter.
_VALUE = r"[^\s'\"&;,<>]{4,}"
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # A private key as a block of text, with its line ends as they are or as \n.
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
        ),
        HIDDEN,
    ),
    # User and password of an address, up to the last @: a password may hold / and @. In a folder
    # of this machine an @ is part of a name.
    (re.compile(r"(?<!file)(://)(?!\*\*\*@)[^\s'\"<>]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?<!\w)(file://)(?!\*\*\*@)(?!/)[^\s'\"<>]+@"), rf"\1{HIDDEN}@"),
    # The same where the scheme was left out. The name of an image ends in @sha256:..., and an arm
    # is called replace:0.3@set.
    (
        re.compile(
            r"(?<![\w/.:-])[\w.%+~-]+:(?!//|\d{1,2}\.\d+@)[^\s'\"<>@]{3,}@(?!sha256:)(?=\w)"
        ),
        f"{HIDDEN}@",
    ),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{6,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?im)(\bauthorization['\"]?\s*[:=]\s*['\"]?)[^\n'\"]{4,}"), rf"\1{HIDDEN}"),
    # Parameters of signed addresses, assignments, JSON, YAML and XML.
    (
        re.compile(
            rf"(?i)([?&;#](?:[\w.-]*(?:{_NAME}|accessid)[\w.-]*|sig|key|code|assertion)=)"
            r"[^\s'\"&;<>]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(rf"(?i)({_NAME}[\w-]*=['\"]?){_VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)({_NAME}[\w-]*\\?['\"]\s*[:=]\s*\\?['\"]){_VALUE}"), rf"\1{HIDDEN}"),
    # Behind a colon and a blank there may be prose: a secret has a digit or is long.
    (
        re.compile(
            rf"(?i)({_NAME}[\w-]*:[ \t]*['\"]?)"
            r"(?:(?=\S*\d)[^\s'\"&;,<>]{6,}|[^\s'\"&;,<>]{20,})"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(rf"(?i)(<(\w*{_NAME}\w*)>)[^<]+(?=</\2>)"), rf"\1{HIDDEN}"),
    # Names of keys at Amazon and for HMAC at Google.
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,}\b"), HIDDEN),
    (re.compile(r"\bGOOG[0-9A-Z]{16,}\b"), HIDDEN),
    # Their secrets: 40 characters of base64 with letters of both kinds and a digit, no hash.
    (
        re.compile(
            r"(?<![\w/+=.-])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*[0-9])"
            r"[A-Za-z0-9/+]{40}(?![\w/+=.-])"
        ),
        HIDDEN,
    ),
    # Tokens that say by their beginning what they are.
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?"), HIDDEN),
    (
        re.compile(r"\bya29\.[\w.-]{10,}|\b1//0[\w-]{20,}|\bAIza[\w-]{30,}|\bGOCSPX-[\w-]{10,}"),
        HIDDEN,
    ),
    (
        re.compile(r"\b(?:gh[pousr]|github_pat|glpat|gldt|hf|npm|pypi|dop_v1)[_-]\w[\w-]{15,}"),
        HIDDEN,
    ),
    (
        re.compile(
            r"\b(?:sk|rk|pk)[_-](?:live|test|proj|ant)?[\w-]{16,}|\bxox[abeoprs]-[\w-]{10,}"
        ),
        HIDDEN,
    ),
)

_known: set[str] = set()


def conceal(*values: str | None) -> None:
    """Hide these values from now on in all that this process writes; short ones are no secrets."""
    for value in values:
        if value and len(value) >= _SHORTEST:
            _known.update(_written(value))


def without_secrets(text: str) -> str:
    """`text` with ``***`` instead of every credential that is known or looks like one."""
    for value in sorted(_known | set(_of_environment()), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def without_secret_options(arguments: Sequence[str]) -> list[str]:
    """The words of a command line, without the values of options and settings that are secrets."""
    shown: list[str] = []
    for word in arguments:
        behind = shown[-1] if shown else ""
        name, equals, _ = word.partition("=")
        if _OPTION.fullmatch(behind) and not word.startswith("--"):
            shown.append(HIDDEN)
        elif equals and (_OPTION.fullmatch(name) or _ASSIGNED.match(word)):
            shown.append(f"{name}={HIDDEN}")
        else:
            shown.append(without_secrets(word))
    return shown


def conceal_options(arguments: Sequence[str]) -> None:
    """Hide what a command line gives to options and settings whose names are those of secrets."""
    for word, shown in zip(arguments, without_secret_options(arguments), strict=True):
        if shown == HIDDEN:
            conceal(word)
        elif shown.endswith(f"={HIDDEN}"):
            conceal(word.partition("=")[2])


def has_credentials(uri: str) -> bool:
    """Whether an address holds a user, a password or a signature, or could be taken to.

    An ``@`` is enough, wherever it is, as secrets may hold a ``/``; only in the path of a folder
    of this machine, ``file:///...``, it is part of a name.
    """
    local = uri.startswith(("file:///", "file://~", "/", "./"))
    plain = unquote(uri)
    return ("@" in plain and not local) or plain != _SIGNED.sub("", plain)


_SIGNED = re.compile(
    rf"(?i)[?&;#](?:[\w.-]*(?:{_NAME}|accessid)[\w.-]*|sig|key|code|assertion)=.*", re.S
)


def _of_environment() -> Iterator[str]:
    """The secrets that the environment holds, by the names of variables and within addresses."""
    for name, value in os.environ.items():
        if len(value) < _SHORTEST:
            continue
        if _SECRET_NAME.search(name) and not _PLACE.search(name):
            yield from _written(value)
        elif (found := _PASSWORD.search(value)) and len(found[1]) >= _SHORTEST:
            yield from _written(found[1])


def _written(value: str) -> set[str]:
    """A secret as it may be written: in an address, in JSON, or as a line of several."""
    forms = {value, value.strip(), quote(value), quote(value, safe=""), quote_plus(value)}
    forms |= {unquote(value), json.dumps(value)[1:-1], repr(value)[1:-1]}
    forms |= {line for line in value.splitlines() if not line.startswith("-----")}
    return {form for form in forms if len(form) >= _SHORTEST}
