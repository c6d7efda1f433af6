"""Every arm: how its training set is made, and the rules that it follows.

An arm is one function below. It takes a :class:`~augstudy.data.mixtures.Mixer` and returns the
images to train on; the rules above it, those of :class:`Kind`, say the rest. The command line, the
pipelines, the filter and the tracker know arms from here alone, in the order of this file. What
people read about them is in :mod:`augstudy.pages.arms`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from augstudy.core.errors import InputError
from augstudy.core.registry import Registry
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.base import Settings
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.sets import NAME

MOST_SHARE = 10.0
_PERCENT = re.compile(r"\d+(\.\d+)?(e-\d+)?")
_MARKED = re.compile(rf"({_PERCENT.pattern})\s*%")
Drawings = Any  # those of augstudy.data.mixtures, which come after the arms


class Mixer(Protocol):
    """What hands out images to an arm; see :class:`augstudy.data.mixtures.Mixer`."""

    @property
    def arm(self) -> "Arm": ...
    @property
    def real(self) -> Drawings: ...
    def thinned(self) -> Drawings: ...
    def synthetic(self) -> Drawings: ...
    def mislabelled(self) -> Drawings: ...
    def filtered(self) -> Drawings: ...
    def filtered_real(self) -> Drawings: ...
    def extra(self) -> Drawings: ...
    def missing(self) -> Drawings: ...
    def repeated(self) -> Drawings: ...
    def balanced(self) -> Drawings: ...
    def weighed(self, drawings: Drawings, weight: float) -> Drawings: ...
    def exchanged(self) -> Drawings: ...


Make = Callable[[Mixer], Drawings]


@dataclass(frozen=True)
class Kind:
    """A kind of arm.

    Attributes:
        name: What it is called.
        make: Returns its training set.
        most: The largest share that it takes; None if it takes none.
        synthetic: Whether it trains on synthetic images.
        filtered: Whether it trains on images that a filter lets through.
        extra: Whether it needs real images beyond those of the level.
        classic: Whether the recipe's augmentation ``classic`` is on.
        longer: Whether it trains for the steps that full epochs take with its share added.
        first: Whether it trains on its synthetic images first and on its others after that, with
            as many steps as `real` makes on either.
        whole: Whether it can use the whole set: without a share it does, with one all that may be
            needed in other epochs.
        fills: Whether its synthetic images are those that classes lack.
        weight: The weight of synthetic images in the loss, if that may be chosen.
        against: Arms, beside `real`, to compare it with: each differs from it in one respect.
        control: Whether it shows what an effect is not, and is no answer itself.
    """

    name: str
    make: Make
    most: float | None = None
    synthetic: bool = False
    filtered: bool = False
    extra: bool = False
    classic: bool = False
    longer: bool = False
    first: bool = False
    whole: bool = False
    fills: bool = False
    weight: float | None = None
    against: tuple[str, ...] = ()
    control: bool = False

    @property
    def answers(self) -> bool:
        """Whether it answers the question of a study: it changes nothing but synthetic images."""
        return self.synthetic and not self.classic and not self.control


KINDS: Registry[Kind] = Registry("arm", Kind)


@KINDS.register()
def real(mixer: Mixer) -> Drawings:
    """The real images alone."""
    return mixer.real


@KINDS.register(classic=True)
def classic(mixer: Mixer) -> Drawings:
    """The real images alone, with stronger augmentation."""
    return mixer.real


@KINDS.register(most=1.0, synthetic=True)
def replace(mixer: Mixer) -> Drawings:
    """A share of the real images of each class is replaced by synthetic ones."""
    return mixer.thinned() + mixer.synthetic()


@KINDS.register(most=MOST_SHARE, synthetic=True, against=("same_steps", "extra_real"))
def add(mixer: Mixer) -> Drawings:
    """Synthetic images are added to the real ones; the share says how many."""
    return mixer.real + mixer.synthetic()


@KINDS.register(synthetic=True, first=True, whole=True, against=("same_steps", "add"))
def pretrain(mixer: Mixer) -> Drawings:
    """Trained on the synthetic images alone first, then on the real ones."""
    return mixer.real.after(mixer.synthetic())


@KINDS.register(most=MOST_SHARE, synthetic=True, weight=0.3, against=("add",))
def weighted(mixer: Mixer) -> Drawings:
    """Like ``add``, with synthetic images that count less in the loss."""
    return mixer.real + mixer.weighed(mixer.synthetic(), mixer.arm.weight_in_loss)


@KINDS.register(most=MOST_SHARE, synthetic=True, whole=True, against=("add",))
def fresh(mixer: Mixer) -> Drawings:
    """Like ``add``, with other synthetic images in every epoch."""
    return mixer.real + mixer.exchanged()


@KINDS.register(synthetic=True, fills=True, against=("balanced_weights", "oversampled"))
def fill(mixer: Mixer) -> Drawings:
    """Synthetic images of rare classes only, until each has as many as the largest class."""
    return mixer.real + mixer.missing()


@KINDS.register(most=MOST_SHARE, synthetic=True, filtered=True, against=("add",))
def add_filtered(mixer: Mixer) -> Drawings:
    """Like ``add``, with images that the filter lets through."""
    return mixer.real + mixer.filtered()


@KINDS.register(most=MOST_SHARE, synthetic=True, classic=True, against=("classic",))
def classic_add(mixer: Mixer) -> Drawings:
    """Like ``add``, with the augmentation of ``classic``."""
    return mixer.real + mixer.synthetic()


@KINDS.register(most=MOST_SHARE, extra=True, control=True)
def extra_real(mixer: Mixer) -> Drawings:
    """Like ``add``, with further real images instead of synthetic ones."""
    return mixer.real + mixer.extra()


@KINDS.register(most=MOST_SHARE, longer=True, control=True)
def same_steps(mixer: Mixer) -> Drawings:
    """The real images alone, trained for as many steps as ``add`` takes in full epochs."""
    return mixer.real


@KINDS.register(control=True)
def balanced_weights(mixer: Mixer) -> Drawings:
    """The real images alone, where those of rare classes count more in the loss."""
    return mixer.balanced()


@KINDS.register(control=True)
def oversampled(mixer: Mixer) -> Drawings:
    """The real images alone, those of rare classes repeated up to the largest class."""
    return mixer.real + mixer.repeated()


@KINDS.register(filtered=True, control=True)
def real_filtered(mixer: Mixer) -> Drawings:
    """The real images that the filter trusts most: of each class, as many as pass on average."""
    return mixer.filtered_real()


@KINDS.register(most=1.0, synthetic=True, control=True)
def mislabelled(mixer: Mixer) -> Drawings:
    """Like ``replace``, with images that have the wrong labels of the student report."""
    return mixer.thinned() + mixer.mislabelled()


def _known(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"there is no such kind of arm; there are: {', '.join(KINDS)}")
    return name


def label_of(
    arm: str, share: float | None = None, name: str | None = None, of: str | None = None
) -> str:
    """What an arm is called: its name if it has one, else kind and share, as in ``add:0.5``.

    In a study with several sets of synthetic images that `of` which it uses follows: ``add:1@sd``.
    """
    plain = name or (arm if share is None else f"{arm}:{share:g}")
    return f"{plain}@{of}" if of else plain


def typed(text: str) -> dict[str, Any]:
    """An arm as people type it, ``add:1@sd``, as a mapping; the share is a number or still a text.

    What is typed is spelled as it is now, as it once was, or with a percentage: ``add:50%``.
    """
    plain, at, of = text.partition("@")
    name, colon, typed = spelled(plain).partition(":")
    marked = _MARKED.fullmatch(typed.strip())
    share = float(marked[1]) / 100 if marked else typed
    return {"arm": name} | ({"share": share} if colon else {}) | ({"set": of} if at else {})


def spelled(label: str) -> str:
    """An arm's label as it is spelled now: ``add_100``, as it once was, is ``add:1``."""
    name, _, percent = label.rpartition("_")
    old = name in KINDS and KINDS[name].most is not None and _PERCENT.fullmatch(percent)
    return label_of(name, float(percent) / 100) if old else label


class Arm(Settings):
    """How a training set is made, as a study asks for it."""

    arm: Annotated[str, AfterValidator(_known)]
    share: float | None = Field(
        None,
        gt=0,
        le=MOST_SHARE,
        description="images replaced or added, or steps added, as a share of the real ones",
    )
    name: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,39}$",
        description="label to use instead of the usual one, to tell arms of one kind apart",
    )
    set: str | None = Field(
        None,
        pattern=f"^{NAME}$",
        description="the set of synthetic images that it uses; by default each, an arm for each",
    )
    weight: float | None = Field(
        None, gt=0, le=10, description="of synthetic images in the loss; real ones have 1"
    )
    augmentation: Augmentation | None = Field(
        None, description="instead of that of the recipe; {} means none"
    )
    optional: bool = Field(
        False, description="leave the arm out, instead of failing, if there are too few images"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        most = self.kind.most
        if most is not None and self.share is None:
            raise ValueError(f"arm {self.arm!r} needs a share, for example 0.3")
        if most is None and self.share is not None:
            raise ValueError(f"arm {self.arm!r} takes no share")
        if most is not None and (self.share or 0.0) > most:
            raise ValueError(f"arm {self.arm!r} takes a share of at most {most:g}")
        if self.name in KINDS or spelled(self.name or "") != (self.name or ""):
            raise ValueError(f"an arm cannot be named {self.name!r}, because that is a kind of arm")
        if self.set is not None and not self.kind.synthetic:
            raise ValueError(f"arm {self.arm!r} uses no synthetic images, so it names no set")
        if self.weight is not None and (self.kind.weight is None or self.name is None):
            raise ValueError("only an arm 'weighted' with a name of its own takes a weight")
        if self.augmentation is not None and self.name is None:
            raise ValueError("an arm with an augmentation of its own needs a name of its own")
        return self

    @property
    def kind(self) -> Kind:
        """Its rules."""
        return KINDS[self.arm]

    @property
    def label(self) -> str:
        """Unique within a study, and what is typed, shown and filtered: ``replace:0.3``."""
        return label_of(self.arm, self.share, self.name, self.set)

    @property
    def weight_in_loss(self) -> float:
        """Of its synthetic images; real ones have 1."""
        return self.weight or self.kind.weight or 1.0

    def augmentation_in(self, settings: ClassifierSettings) -> Augmentation:
        """The augmentation that it trains with, where the recipe is `settings`."""
        if self.augmentation is not None:
            return self.augmentation
        usual = settings.augmentation
        return usual.joined(settings.classic) if self.kind.classic else usual

    def settings_in(self, recipe: ClassifierSettings) -> ClassifierSettings:
        """The recipe as it trains, and predicts, with it."""
        return recipe.model_copy(update={"augmentation": self.augmentation_in(recipe)})

    def record(self) -> dict[str, Any]:
        """What an artifact keeps of it: all that its training set depends on, and its label."""
        named: dict[str, Any] = {} if self.set is None else {"set": self.set}
        if self.weight is not None:
            named["weight"] = self.weight
        plain = self.model_dump(mode="json", exclude={"optional", "set", "weight"})
        return {**plain, **named, "label": self.label}

    def of_sets(self, names: Sequence[str]) -> list[Self]:
        """This arm once for each set of a study that it uses; of a single set there is no mention.

        Args:
            names: of all sets.

        Raises:
            InputError: there is no such set.
        """
        if self.set is not None and self.set not in names:
            raise InputError(
                f"Arm {self.label} names a set that the study does not have; it has: "
                f"{', '.join(names)}."
            )
        if not self.kind.synthetic:
            return [self]
        used = [self.set] if self.set is not None else names
        return [self.model_copy(update={"set": name if len(names) > 1 else None}) for name in used]

    @classmethod
    def recorded(cls, record: Mapping[str, Any]) -> Self:
        """The arm that an artifact's :meth:`record` is of."""
        return cls.model_validate({key: record[key] for key in cls.model_fields if key in record})
