"""Which code decides what a step makes, in a form without what a reader sees.

A module is a list of parts, its top-level statements. All parts of a step's own module count. From
there imports are followed, at any depth. In the modules that are met

- a definition (a function, a class, a constant, an import) counts where a part that counts names
  it;
- an entry of a registry (:mod:`augstudy.core.registry`) counts where code that counts looks into
  the registry and the entry's name is in the settings of the step or of its inputs. Code that goes
  through a registry, as in ``for name in SCORES``, uses all entries. They are found in modules that
  nothing imports as well, and what they alone use counts with them;
- all else counts: it runs, or like most decorators may make itself known somewhere.

Parts are compared as syntax trees, without comments, docstrings, descriptions of settings, imports
for type checkers, and the messages of errors and of the log. :data:`CARRIERS` are not followed.
"""

import ast
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

# They bring numbers from here to there, or words to a person, and change no number.
CARRIERS = (
    "augstudy.core.artifacts",
    "augstudy.core.cache",
    "augstudy.core.code",
    "augstudy.core.errors",
    "augstudy.core.fingerprint",
    "augstudy.core.outlets",
    "augstudy.core.redaction",
    "augstudy.core.registry",
    "augstudy.core.telemetry",
    "augstudy.objects",
    "augstudy.pages",
)
_REGISTRY = re.compile(r"[A-Z][A-Z_]+")
_ADDS = re.compile(r"^@?([A-Z][A-Z_]+)\.(?:register|add)\(", re.MULTILINE)
_GOES_THROUGH = ("items", "keys", "values")
_DEFINES = ("dataclass", "contextmanager", "lru_cache")  # decorators that do nothing else


@dataclass(frozen=True)
class _Part:
    """A top-level statement: what it is, what it defines, and what it makes use of.

    Attributes:
        tree: Its syntax tree, as text.
        defines: What it defines, if that is all it does.
        entry: Registry and name of the entry that it adds, if it adds one.
        names: Names that it uses.
        attributes: Names that it uses behind dots.
        imports: Modules of this package, with a name within them or an empty one.
        registries: Registries that it looks into.
        passes: Registries that it goes through.
    """

    tree: str
    defines: frozenset[str]
    entry: tuple[str, str] | None
    names: frozenset[str]
    attributes: frozenset[str]
    imports: frozenset[tuple[str, str]]
    registries: frozenset[str]
    passes: frozenset[str]


class Code:
    """The package's modules, as they are now."""

    def __init__(self, root: Path) -> None:
        """Read the package in the folder `root`."""
        self._texts: dict[str, str] = {}
        self._adding = defaultdict(list)  # modules by the registries that they add to
        for path in root.rglob("*.py"):
            names = ("augstudy", *path.relative_to(root).with_suffix("").parts)
            module = ".".join(names).removesuffix(".__init__")
            self._texts[module] = path.read_text(encoding="utf-8")
            for registry in set(_ADDS.findall(self._texts[module])):
                self._adding[registry].append(module)

    def version(self, step: str, named: frozenset[str] | None) -> str:
        """Hash of the code that decides what a step makes; of all code where there is no such step.

        Args:
            step: its name.
            named: the texts in its settings: names of entries may be among them. None counts
                every entry of the registries that it looks into.
        """
        module = f"augstudy.steps.{step}"
        lines = sorted(f"{name} {text}" for name, text in self._texts.items())
        if module in self._texts:
            counted = _Reach(self, module, named).counted.items()
            lines = sorted(f"{name} {part.tree}" for name, found in counted for part in found)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def parts(self, module: str) -> tuple[_Part, ...]:
        """The parts of a module that is to be followed; none of others."""
        carries = any(f"{module}.".startswith(f"{carrier}.") for carrier in CARRIERS)
        return () if carries or module not in self._texts else _parts(self._texts[module])

    def adding_to(self, registries: Iterable[str]) -> set[str]:
        """The modules that add entries to registries."""
        return {module for name in registries for module in self._adding[name]}


class _Reach:
    """The parts that count of all that a step imports, by module in ``counted``."""

    def __init__(self, code: Code, module: str, named: frozenset[str] | None) -> None:
        self.counted: dict[str, set[_Part]] = {module: set()}
        self._code, self._module, self._named = code, module, named
        self._names: dict[str, set[str]] = defaultdict(set)
        self._attributes: dict[str, set[str]] = defaultdict(set)
        self._imported: dict[str, set[str]] = defaultdict(set)
        self._registries: set[str] = set()
        self._passes: set[str] = set()
        while sum(map(self._extend, {*self.counted, *code.adding_to(self._registries)})):
            pass

    def _extend(self, module: str) -> bool:
        """Count the parts of a module that count by now; whether there were more."""
        known, met = self.counted.get(module, set()), module in self.counted
        parts = set(self._code.parts(module)) - known
        found = {part for part in parts if (met or part.entry) and self._counts(module, part)}
        if found:
            self.counted[module] = known | found
        for part in found:
            self._follow(module, part)
        return bool(found)

    def _counts(self, module: str, part: _Part) -> bool:
        if part.defines & self._names[module]:
            return True
        if part.entry:
            registry, name = part.entry
            asked = self._named is None or name in self._named
            return registry in self._passes or (asked and registry in self._registries)
        return not part.defines or module == self._module

    def _follow(self, module: str, part: _Part) -> None:
        self._names[module] |= part.names
        self._attributes[module] |= part.attributes
        self._registries |= part.registries
        self._passes |= part.passes
        for imported, name in part.imports:
            self.counted.setdefault(imported, set())
            self._names[imported].add(name)
            self._imported[module] |= set() if name else {imported}
        for imported in self._imported[module]:
            self._names[imported] |= self._attributes[module]


def texts(things: object) -> frozenset[str]:
    """All texts within mappings and lists; of addresses also how they begin and end."""
    if isinstance(things, str):
        scheme, separator, _ = things.partition("://")
        return frozenset({things, scheme + separator, PurePosixPath(things).suffix})
    if isinstance(things, Mapping):
        things = list(things.values())
    return (
        frozenset().union(*map(texts, things)) if isinstance(things, list | tuple) else frozenset()
    )


@lru_cache(maxsize=1000)
def _parts(text: str) -> tuple[_Part, ...]:
    tree = _Bare().visit(ast.parse(text))
    used = {_name(node) for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return tuple(_part(node, used) for item in tree.body for node in _each(item))


def _each(node: ast.stmt) -> Iterator[ast.stmt]:
    """A statement, but imports one by one."""
    if isinstance(node, ast.ImportFrom):
        yield from (ast.ImportFrom(node.module, [item], node.level) for item in node.names)
    else:
        yield node


class _Bare(ast.NodeTransformer):
    """Takes away what decides nothing."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Without docstrings, strings below settings, and lines for the log."""
        logs = isinstance(node.value, ast.Call) and ast.unparse(node.value).startswith("logger.")
        said = isinstance(node.value, ast.Constant)
        return ast.Pass() if logs or said else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Without the message of an error."""
        return ast.Raise(exc=node.exc.func if isinstance(node.exc, ast.Call) else node.exc)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Without the description of a setting."""
        node.keywords = [item for item in node.keywords if item.arg != "description"]
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        """Without what is there for type checkers."""
        return ast.Pass() if _name(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def _part(statement: ast.stmt, used: set[str]) -> _Part:
    names, attributes, registries, passes = set[str](), set[str](), set[str](), set[str]()
    imports = set[tuple[str, str]]()
    for node in ast.walk(statement):
        imports.update(_imports(node))
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Call) and _name(node) in ("find", "get"):
            literal = any(isinstance(item, ast.Constant) for item in node.args)
            passes |= {_registry(getattr(node.func, "value", node))} if literal else set()
        for registry in filter(None, map(_registry, ast.iter_child_nodes(node))):
            registries.add(registry)
            passes |= {registry} if _goes_through(node) else set()
    return _Part(
        tree=ast.dump(statement),
        defines=frozenset(_defined(statement, used)),
        entry=_entry(statement),
        names=frozenset(names),
        attributes=frozenset(attributes),
        imports=frozenset(imports),
        registries=frozenset(registries),
        passes=frozenset(passes),
    )


def _defined(node: ast.stmt, used: set[str]) -> Iterator[str]:
    """What a statement defines; an import that is there for its effects, nothing."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        if _entry(node) or all(_name(item) in _DEFINES for item in node.decorator_list):
            yield node.name
    elif isinstance(node, ast.ImportFrom):
        yield from {item.asname or item.name for item in node.names} & used
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        yield from map(_name, node.targets if isinstance(node, ast.Assign) else [node.target])


def _entry(node: ast.stmt) -> tuple[str, str] | None:
    """Registry and name of the entry that a statement adds."""
    calls = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    calls = [node.value] if isinstance(node, ast.Expr) else calls
    for call in calls:
        if isinstance(call, ast.Call) and _name(call) in ("register", "add"):
            named = [item.value for item in call.args[:1] if isinstance(item, ast.Constant)]
            registry = _registry(getattr(call.func, "value", call))
            return (registry, str(*named or [getattr(node, "name", "")])) if registry else None
    return None


def _registry(node: ast.AST) -> str:
    """The name of what looks like a registry, where it is used."""
    used = isinstance(getattr(node, "ctx", None), ast.Load)
    return _name(node) if used and _REGISTRY.fullmatch(_name(node)) else ""


def _goes_through(user: ast.AST) -> bool:
    """Whether the node that uses a registry may use any entry, whatever settings say."""
    if isinstance(user, ast.Subscript):
        return isinstance(user.slice, ast.Constant)
    if isinstance(user, ast.Attribute):
        return user.attr in _GOES_THROUGH
    return not isinstance(user, ast.Compare)


def _name(node: ast.AST) -> str:
    """What a name, an attribute or the function of a call is called."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Modules of this package that are imported, and names within them; some may be no modules."""
    if isinstance(node, ast.Import):
        found = [(alias.name, "") for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        found = [(module, alias.name) for alias in node.names]
        found += [(f"{module}.{alias.name}", "") for alias in node.names]
    else:
        return
    yield from (pair for pair in found if pair[0].startswith("augstudy."))
