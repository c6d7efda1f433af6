"""Finds the pods of a task, whose names KFP's API does not tell.

A task is a node of an Argo workflow. The API gives its display name and the ids of its children,
but neither its own id nor that of its pod. Ids are hashes of names that say where a node stands,
so the names are found by trying: a child is called after its parent and its own display name. A pod
is called after the workflow, its template and that hash (workflow/util/pod_name.go of Argo).
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from augstudy.cluster.kfp_answers import Task

_DRIVERS = ("system-container-driver", "system-dag-driver")
_PART = re.compile(r"\([^()]*\)")  # a try, or an item of a loop
_TRY = re.compile(r"\((\d+)\)")


class Nodes:
    """The nodes of a run that are children of another, by their names."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        wanted = {child.pod_name for task in tasks for child in task.child_tasks}
        # All have the name of their workflow in front, and most often nothing else in common.
        self._workflow = next(iter(sorted(wanted)), "").rpartition("-")[0]
        titles = sorted({task.display_name for task in tasks})
        self._parents: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        fresh = [self._workflow]
        while fresh:
            name = fresh.pop()
            for child, number in _children(name, titles):
                found = f"{self._workflow}-{number}"
                if found in wanted and child not in self._ids:
                    self._ids[child] = found
                    self._parents[found] = name
                    fresh.append(child)

    def step_pods(self, task: Task, template: str) -> list[str]:
        """Names of the pods of a step, the last try first."""
        found = [
            name
            for own in self._names(task)
            for name in self._ids
            if name.startswith((f"{own}.", f"{own}(")) and _base(name) == "executor"
        ]
        return self._pods(found, (template,))

    def driver_pods(self, task: Task) -> list[str]:
        """Names that the pods of a driver may have, the last try first."""
        found = [
            name
            for own in self._names(task)
            for name in self._ids
            if name == own or (name.startswith(f"{own}(") and _last(name) != _base(name))
        ]
        return self._pods(found, _DRIVERS)

    def _names(self, task: Task) -> set[str]:
        """Names of the nodes that `task` may be: one if it has children, else all called so."""
        parents = {self._parents.get(child.pod_name, "") for child in task.child_tasks}
        own = {name for name in parents if _last(name) == task.display_name}
        return own or {name for name in self._ids if _last(name) == task.display_name}

    def _pods(self, names: Iterable[str], templates: Sequence[str]) -> list[str]:
        held = set(self._parents.values())
        leaves = [name for name in names if not _holds_tries(name, held, self._ids)]
        leaves.sort(key=lambda name: [int(number) for number in _TRY.findall(name)], reverse=True)
        return [
            f"{self._workflow}-{template}-{self._ids[name].rpartition('-')[2]}"
            for name in leaves
            for template in templates
        ]


def _children(name: str, titles: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Names that children of a node may have, and their hashes: tasks, or tries of the same."""
    own, last = _hash(name), _last(name)
    inside = _hash(".", own)
    for title in titles:
        rest = title.removeprefix(last)
        if rest != title and _PART.fullmatch(rest):
            yield name + rest, _hash(rest, own)
        if not title.endswith(")"):
            yield f"{name}.{title}", _hash(title, inside)


def _holds_tries(name: str, held: set[str], ids: Iterable[str]) -> bool:
    """Whether a node only holds the tries of a pod."""
    return name in held and any(other.startswith(f"{name}(") for other in ids)


def _last(name: str) -> str:
    """The display name of a node."""
    return name.rpartition(".")[2]


def _base(name: str) -> str:
    """The display name of a node, without the number of the try."""
    return _TRY.sub("", _last(name))


def _hash(text: str, before: int = 0x811C9DC5) -> int:
    """FNV-1a with 32 bits, as Argo has it, of `text` after what gave the hash `before`."""
    for byte in text.encode():
        before = (before ^ byte) * 0x01000193 & 0xFFFFFFFF
    return before
