"""Which code decides what a step makes, in a form without what a reader sees.

A module is a list of parts, its top-level statements. From the module of a step its imports are
followed, at any depth. Of each module that is met every part counts, but for two kinds:

- An entry of a registry (:mod:`augstudy.core.registry`) counts where it is used: where its name is
  in the settings of the step or of its inputs, or its code names it, as in ``KINDS["real"]``. Code
  that goes through a registry, as in ``for name in SCORES``, uses all entries. They are found in
  modules that nothing imports as well.
- A private definition counts where a part that counts names it. So what only some entries use
  counts with them.

Parts are compared as syntax trees, without comments, docstrings and the strings below settings,
descriptions, type-checking imports, and the messages of errors and of the log. The :data:`CARRIERS`
are not followed.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_PACKAGE = "augstudy"
# They bring numbers from here to there, or words to a person, and change no number.
CARRIERS = (
    "augstudy.core.artifacts",
    "augstudy.core.cache",
    "augstudy.core.code",
    "augstudy.core.errors",
    "augstudy.core.fingerprint",
    "augstudy.core.redaction",
    "augstudy.core.registry",
    "augstudy.core.telemetry",
    "augstudy.objects",
    "augstudy.pages",
)
_REGISTRY = re.compile(r"[A-Z][A-Z_]+")
_REGISTERS = re.compile(r"^@?([A-Z][A-Z_]+)\.(?:register|add)\(", re.MULTILINE)
_GOES_THROUGH = ("items", "keys", "values")
_LOG = ("debug", "info", "warning", "error", "exception")

Use = tuple[str, str]  # a registry and the name of an entry


@dataclass(frozen=True)
class _Part:
    """A top-level statement: what it is, what it defines, and what it makes use of.

    Attributes:
        tree: Its syntax tree, as text.
        defines: Names that it gives something to.
        names: Names that occur in it.
        imports: Modules of this package, and names within them or empty ones.
        registries: Registries that it looks into.
        passes: Registries that it goes through.
        entries: Entries that it names.
        entry: The entry that it adds, if it adds one.
    """

    tree: str
    defines: frozenset[str]
    names: frozenset[str]
    imports: frozenset[tuple[str, str]]
    registries: frozenset[str]
    passes: frozenset[str]
    entries: frozenset[Use]
    entry: Use | None

    @property
    def private(self) -> bool:
        """Whether it defines something for its own module alone."""
        return bool(self.defines) and all(
            name.startswith("_") and not name.startswith("__") for name in self.defines
        )


class Code:
    """The package's modules, as they are now."""

    def __init__(self, root: Path) -> None:
        """Read the package in the folder `root`."""
        self._texts = dict(_read(root))
        self._adding: dict[str, list[str]] = {}  # modules by the registries that they add to
        for module, text in self._texts.items():
            for registry in set(_REGISTERS.findall(text)) if not _carries(module) else ():
                self._adding.setdefault(registry, []).append(module)

    def version(self, step: str, named: frozenset[str] | None) -> str:
        """Hash of the code that decides what a step makes; of all code where there is no such step.

        Args:
            step: its name.
            named: the texts in its settings: names of entries may be among them. None counts
                every entry of the registries that it looks into.
        """
        module = f"{_PACKAGE}.steps.{step}"
        if module not in self._texts:
            return _hash(f"{name} {text}" for name, text in sorted(self._texts.items()))
        counted = _Reach(self, module, named).counted
        return _hash(
            f"{name} {self.parts(name)[place].tree}"
            for name, places in sorted(counted.items())
            for place in sorted(places)
        )

    def parts(self, module: str) -> tuple[_Part, ...]:
        """The parts of a module; none of what is no module."""
        return _parts(self._texts[module]) if module in self._texts else ()

    def adding_to(self, registries: Iterable[str]) -> set[str]:
        """The modules that add entries to registries."""
        return {module for name in registries for module in self._adding.get(name, ())}


@dataclass
class _Reach:
    """What counts of all that a module imports: by module, the places of the parts."""

    code: Code
    module: str
    named: frozenset[str] | None
    counted: dict[str, set[int]] = field(default_factory=dict)
    _names: dict[str, set[str]] = field(default_factory=dict)
    _registries: set[str] = field(default_factory=set)
    _passes: set[str] = field(default_factory=set)
    _entries: set[Use] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.counted[self.module] = set()
        while sum(map(self._extend, self._met())):
            pass

    def _met(self) -> set[str]:
        return {*self.counted, *self.code.adding_to(self._registries)}

    def _extend(self, module: str) -> bool:
        """Count the parts of a module that count by now; whether there were any."""
        met, known = module in self.counted, self.counted.get(module, set())
        found = [
            (place, part)
            for place, part in enumerate(self.code.parts(module))
            if place not in known and (met or part.entry) and self._counts(module, part)
        ]
        for place, part in found:
            self.counted.setdefault(module, set()).add(place)
            self._follow(module, part)
        return bool(found)

    def _counts(self, module: str, part: _Part) -> bool:
        named = bool(part.defines & self._names.get(module, set()))
        if part.entry is None:
            return named or not part.private
        registry, name = part.entry
        used = registry in self._passes or part.entry in self._entries
        asked = self.named is None or name in self.named
        return named or used or (asked and registry in self._registries)

    def _follow(self, module: str, part: _Part) -> None:
        self._names.setdefault(module, set()).update(part.names)
        self._registries |= part.registries
        self._passes |= part.passes
        self._entries |= part.entries
        for imported, name in part.imports:
            if not _carries(imported):
                self.counted.setdefault(imported, set())
                self._names.setdefault(imported, set()).add(name)


def texts(things: object) -> frozenset[str]:
    """All texts within mappings and lists, and of addresses also what they begin with."""
    if isinstance(things, str):
        scheme, separator, _ = things.partition("://")
        return frozenset({things, scheme + separator})
    if isinstance(things, Mapping):
        things = [*things, *things.values()]
    if isinstance(things, (list, tuple)):
        return frozenset().union(*map(texts, things))
    return frozenset()


def _read(root: Path) -> Iterator[tuple[str, str]]:
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name.replace(root.name, _PACKAGE, 1), path.read_text()


@cache
def _parts(text: str) -> tuple[_Part, ...]:
    body = _Bare().visit(ast.parse(text)).body
    return tuple(_part(node) for node in body)


class _Bare(ast.NodeTransformer):
    """Takes away what decides nothing."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Without docstrings, strings below settings, and lines for the log."""
        value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return ast.Pass()
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            owner = value.func.value
            if value.func.attr in _LOG and isinstance(owner, ast.Name) and owner.id == "logger":
                return ast.Pass()
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Without the message of an error."""
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return ast.Raise(exc=error, cause=None)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Without descriptions."""
        node.keywords = [item for item in node.keywords if item.arg != "description"]
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        """Without what is there for type checkers."""
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
        return self.generic_visit(node)


def _part(node: ast.AST) -> _Part:
    used = (item for item in ast.walk(node) if isinstance(item, ast.Name))
    names = {item.id for item in used if isinstance(item.ctx, ast.Load)}
    looks = list(_looks(node))
    return _Part(
        tree=ast.dump(node),
        defines=frozenset(_defined(node)),
        names=frozenset(names),
        imports=frozenset(_imports(node)),
        registries=frozenset(registry for registry, _ in looks),
        passes=frozenset(registry for registry, name in looks if name is None),
        entries=frozenset((registry, name) for registry, name in looks if name),
        entry=_entry(node),
    )


def _defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield target.id if isinstance(target, ast.Name) else ""


def _entry(node: ast.AST) -> Use | None:
    """The entry that a statement adds to a registry."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        calls, usual = node.decorator_list, node.name
    else:
        calls, usual = [node.value] if isinstance(node, ast.Expr) else [], ""
    for call in calls:
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            registry = _registry(call.func.value)
            if registry and call.func.attr in ("register", "add"):
                return registry, _text(call.args) or usual
    return None


def _looks(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Registries that are looked into: for the named entry, for one by a variable, or for all."""
    for parent in ast.walk(node):
        for child in ast.iter_child_nodes(parent):
            registry = _registry(child)
            if registry and isinstance(getattr(child, "ctx", None), ast.Load):
                yield registry, _looked_up(parent)
            elif isinstance(parent, ast.Call) and isinstance(child, ast.Attribute):
                yield from _found(child, parent)


def _found(method: ast.Attribute, call: ast.Call) -> Iterator[tuple[str, str | None]]:
    registry = _registry(method.value)
    if registry and method.attr in ("find", "get"):
        yield registry, _text(call.args)


def _looked_up(parent: ast.AST) -> str | None:
    """The entry that is looked up, "" if only a variable knows it; None if all are gone through."""
    if isinstance(parent, ast.Subscript):
        return _text([parent.slice])
    if isinstance(parent, ast.Attribute):
        return None if parent.attr in _GOES_THROUGH else ""
    return "" if isinstance(parent, ast.Compare) else None


def _registry(node: ast.AST) -> str:
    """The name of what looks like a registry."""
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return name if isinstance(name, str) and _REGISTRY.fullmatch(name) else ""


def _text(arguments: list[ast.expr]) -> str:
    first = arguments[0] if arguments else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Modules of this package that a statement imports, wherever in it; some may be no modules."""
    for item in ast.walk(node):
        if isinstance(item, ast.Import):
            found = [(alias.name, "") for alias in item.names]
        elif isinstance(item, ast.ImportFrom) and item.module:
            found = [(item.module, alias.name) for alias in item.names]
            found += [(f"{item.module}.{alias.name}", "") for alias in item.names]
        else:
            continue
        yield from (pair for pair in found if pair[0].startswith(f"{_PACKAGE}."))


def _carries(module: str) -> bool:
    return any(f"{module}.".startswith(f"{carrier}.") for carrier in CARRIERS)


def _hash(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()[:16]
