"""Filters and sort orders as a person types them: ``accuracy > 0.8 and arm == "add"``.

A filter is Python's grammar of comparisons, parsed but never run: only names of fields, constants,
comparisons, ``and``, ``or``, ``not`` and ``in`` are known.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from augstudy.core.errors import InputError
from augstudy.runs.record import FIELDS, Row
from augstudy.settings.arms import spelled

Test = Callable[[Row], bool]
_Value = Callable[[Row], Any]
_LONGEST = 2000
_ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EXAMPLE = 'for example: accuracy > 0.8 and arm == "add:1" and settings.gan_settings.steps > 500'


def where(text: str) -> Test:
    """Whether a row is wanted, as a function of the row.

    A field that is missing in a row fails every comparison but ``== None`` and ``!=``; so rows
    without accuracy are not among ``accuracy < 0.5``. ``arm == "add"`` finds every share.

    Raises:
        InputError: it is no filter, names no field, or compares a number with a text.
    """
    if len(text) > _LONGEST:
        raise InputError(f"The filter has more than {_LONGEST} characters: shorten it.")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _test(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{text!r} is not a filter; {_EXAMPLE}.") from error


def arrange(found: Iterable[Row], order: str) -> list[Row]:
    """Rows in the order of fields such as ``-accuracy,date``; a minus means largest first.

    Rows that lack a field come last either way; equal ones stay in the order they had.

    Raises:
        InputError: there is no such field.
    """
    arranged = list(found)
    for name in reversed([item.strip() for item in order.split(",") if item.strip()]):
        descending = name.startswith("-")
        value = field(name.lstrip("-"))
        known = [row for row in arranged if value(row) is not None]
        known.sort(key=lambda row: sortable(value(row)), reverse=descending)
        arranged = known + [row for row in arranged if value(row) is None]
    return arranged


def field(name: str) -> Callable[[Row], Any]:
    """The value of a field, or of a setting such as ``settings.gan_settings.steps``, in a row.

    Raises:
        InputError: there is no such field.
    """
    return _field(name.split("."))


def sortable(value: Any) -> tuple[int, Any]:
    """Numbers before texts: a setting may be either."""
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def _test(node: ast.expr) -> Test:
    if isinstance(node, ast.BoolOp):
        tests = [_test(item) for item in node.values]
        join = all if isinstance(node.op, ast.And) else any
        return lambda row: join(test(row) for test in tests)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _test(node.operand)
        return lambda row: not inner(row)
    if isinstance(node, ast.Compare):
        return _comparison(node)
    raise InputError(f"{ast.unparse(node)!r} is not a comparison; {_EXAMPLE}.")


def _comparison(node: ast.Compare) -> Test:
    """A comparison or a chain of them, ``0.5 < accuracy <= 0.9``."""
    operands = [node.left, *node.comparators]
    links = [
        _link(left, operation, right)
        for left, operation, right in zip(operands, node.ops, operands[1:], strict=False)
    ]
    return lambda row: all(link(row) for link in links)


def _link(left: ast.expr, operation: ast.cmpop, right: ast.expr) -> Test:
    first, second = _value(left), _value(right)
    if _is_arm(left) or _is_arm(right):
        first, second = _of_arms(first), _of_arms(second)
    negated = isinstance(operation, ast.NotEq | ast.NotIn | ast.IsNot)
    if isinstance(operation, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
        names, other = _names(right, second), first
        if not _is_arm(right):
            names, other = _names(left, first), second
        return lambda row: (other(row) in names(row)) != negated
    if isinstance(operation, ast.In | ast.NotIn):
        names = _names(left, first)
        return lambda row: any(_inside(name, second(row)) for name in names(row)) != negated
    order = _ORDERS[type(operation)]
    text = f"{ast.unparse(left)} and {ast.unparse(right)}"
    return lambda row: _ordered(order, first(row), second(row), text)


def _is_arm(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "arm"


def _of_arms(value: _Value) -> _Value:
    """The value of a node with labels of arms as they are spelled now."""

    def now(found: Any) -> Any:
        if isinstance(found, list):
            return [now(item) for item in found]
        return spelled(found) if isinstance(found, str) else found

    return lambda row: now(value(row))


def _names(node: ast.expr, value: _Value) -> Callable[[Row], list[Any]]:
    """The value of a node; an arm is also known without its share."""
    if _is_arm(node):
        return lambda row: [value(row), row.get("kind")]
    return lambda row: [value(row)]


def _inside(value: Any, container: Any) -> bool:
    if isinstance(container, str):
        return isinstance(value, str) and value.lower() in container.lower()
    return isinstance(container, Sequence) and value in container


def _ordered(order: Callable[[Any, Any], bool], first: Any, second: Any, text: str) -> bool:
    if first is None or second is None:
        return False
    try:
        return order(first, second)
    except TypeError as error:
        raise InputError(f"{text} are a number and a text: they have no order.") from error


def _value(node: ast.expr) -> _Value:
    if isinstance(node, ast.Name | ast.Attribute):
        return _field(_dotted(node))
    constant = _constant(node)
    return lambda _: constant


def _constant(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and not isinstance(node.value, bytes | complex):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _constant(node.operand)
        if isinstance(value, int | float):
            return -value
    if isinstance(node, ast.Tuple | ast.List):
        return [_constant(item) for item in node.elts]
    raise InputError(f"A filter knows no {ast.unparse(node)!r}; {_EXAMPLE}.")


def _dotted(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    raise InputError(f"A filter knows no {ast.unparse(node)!r}; {_EXAMPLE}.")


def _field(path: list[str]) -> _Value:
    """The value of a field, or of ``settings.a.b``."""
    name, *inside = path
    if name == "settings" and inside:
        return lambda row: _dig(row.get("settings"), inside)
    if name not in FIELDS or inside:
        wanted = ".".join(path)
        near = get_close_matches(wanted, FIELDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FIELDS)}."
        raise InputError(f"There is no field {wanted!r}; {hint}")
    return lambda row: row.get(name)


def _dig(value: Any, path: list[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
