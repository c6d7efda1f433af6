"""Things that are known by a name, each added in one place: arms, networks, scores, sources.

What has been added is refused a second time. Cached results depend on the entries that they use
and on no others, see :mod:`augstudy.core.fingerprint`; it finds them by the two ways to add one,
:meth:`Registry.register` above a function or class and :meth:`Registry.add` as a statement.
"""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

from augstudy.core.errors import AugstudyError, InputError

Entry = TypeVar("Entry")
Made = TypeVar("Made", bound=Callable[..., Any])


class Registry(dict[str, Entry]):
    """Entries by name, in the order in which they were added."""

    def __init__(self, what: str, build: Callable[..., Entry] | None = None) -> None:
        """A registry of `what`, such as ``arm``.

        Args:
            what: a word for an entry, for errors.
            build: makes an entry of its name, of what is registered and of its rules, which are
                named arguments; by default what is registered is the entry.
        """
        super().__init__()
        self.what = what
        self._build: Callable[..., Entry] = build or _itself

    def __setitem__(self, name: str, entry: Entry) -> None:
        if name in self:
            raise AugstudyError(f"There already is {self.what} {name!r}: choose another name.")
        super().__setitem__(name, entry)

    def add(self, name: str, made: Any = None, **rules: Any) -> None:
        """Add an entry.

        Raises:
            AugstudyError: there is one of that name.
        """
        self[name] = self._build(name, made, **rules)

    def register(self, name: str = "", **rules: Any) -> Callable[[Made], Made]:
        """Add what the function or class below makes, called like it unless there is a `name`.

        Raises:
            AugstudyError: there is one of that name.
        """

        def register(made: Made) -> Made:
            self.add(name or made.__name__, made, **rules)
            return made

        return register

    def find(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            InputError: there is none; says which there are.
        """
        if name in self:
            return self[name]
        near = get_close_matches(name, self, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self)}."
        raise InputError(f"There is no {self.what} {name!r}; {hint}")


def _itself(_name: str, made: Any) -> Any:
    return made
