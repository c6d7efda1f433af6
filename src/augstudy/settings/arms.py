"""Every arm: how its training set is made, what it takes, and what people read about it.

An arm is one function below. It is handed a :class:`~augstudy.data.mixtures.Mixer` and returns the
drawings to train on; the rules and words of :func:`kind` above it say the rest. Command line,
pipelines, filter, report and tracker know an arm from here alone, in the order of this file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from augstudy.settings.config import Augmentation, ClassifierSettings, Settings

if TYPE_CHECKING:
    from augstudy.data.mixtures import Drawings, Mixer

Make = Callable[["Mixer"], "Drawings"]

MOST_SHARE = 10.0


@dataclass(frozen=True)
class Kind:
    """A kind of arm.

    Attributes:
        name: By which it is asked for.
        make: Returns its training set.
        title: What tables and figures call it; ``{share}`` becomes ``30 %``.
        subject: What a sentence about it begins with.
        colour: In figures; a smaller share is paler.
        most: The largest share that it takes; None if it takes none.
        synthetic: Whether it trains on synthetic drawings.
        filtered: Whether it takes what a filter lets through.
        extra: Whether it needs real drawings beyond those of the level.
        classic: Whether the recipe's augmentation ``classic`` is on.
        longer: Whether it trains for the steps that full epochs take with its share added.
        against: Arms from which it differs by one thing alone, to compare it with beside `real`.
        control: What an effect is not, as this arm shows it; empty if the arm is no control.
    """

    name: str
    make: Make
    title: str
    subject: str
    colour: str
    most: float | None = None
    synthetic: bool = False
    filtered: bool = False
    extra: bool = False
    classic: bool = False
    longer: bool = False
    against: tuple[str, ...] = ()
    control: str = ""

    @property
    def answers(self) -> bool:
        """Whether it answers the question of a study: it changes nothing but synthetic drawings."""
        return self.synthetic and not self.classic and not self.control


KINDS: dict[str, Kind] = {}


def kind(title: str, subject: str, colour: str, **rules: Any) -> Callable[[Make], Make]:
    """Make a kind of arm, called like the function below; see :class:`Kind`."""

    def register(make: Make) -> Make:
        KINDS[make.__name__] = Kind(make.__name__, make, title, subject, colour, **rules)
        return make

    return register


@kind("Real images only", "Using real images only", "#3d4855")
def real(mixer: "Mixer") -> "Drawings":
    """The real drawings alone."""
    return mixer.real


@kind(
    "Classic augmentation",
    "Classic augmentation (flips, rotations, shifts)",
    "#b7791f",
    classic=True,
)
def classic(mixer: "Mixer") -> "Drawings":
    """The real drawings alone, with stronger augmentation."""
    return mixer.real


@kind(
    "{share} replaced by synthetic",
    "Replacing {share} of the real images by synthetic ones",
    "#3b6fb6",
    most=1.0,
    synthetic=True,
)
def replace(mixer: "Mixer") -> "Drawings":
    """A share of each class's real drawings gives way to synthetic ones."""
    return mixer.thinned() + mixer.synthetic()


@kind(
    "{share} synthetic added",
    "Adding {share} synthetic images",
    "#0f8a6d",
    most=MOST_SHARE,
    synthetic=True,
    against=("same_steps", "extra_real"),
)
def add(mixer: "Mixer") -> "Drawings":
    """Synthetic drawings are added, as a share of the real ones."""
    return mixer.real + mixer.synthetic()


@kind(
    "{share} synthetic added, filtered",
    "Adding {share} filtered synthetic images",
    "#5b9a1f",
    most=MOST_SHARE,
    synthetic=True,
    filtered=True,
    against=("add",),
)
def add_filtered(mixer: "Mixer") -> "Drawings":
    """Like ``add``, with drawings that the filter lets through."""
    return mixer.real + mixer.filtered()


@kind(
    "Classic, {share} synthetic added",
    "Classic augmentation with {share} synthetic images added",
    "#7a6a12",
    most=MOST_SHARE,
    synthetic=True,
    classic=True,
    against=("classic",),
)
def classic_add(mixer: "Mixer") -> "Drawings":
    """Like ``add``, with the augmentation of ``classic``."""
    return mixer.real + mixer.synthetic()


@kind(
    "{share} real added (control)",
    "Adding {share} real images",
    "#8661b8",
    most=MOST_SHARE,
    extra=True,
    control="As many further real images as the others add synthetic ones. That is the most that "
    "adding could do: synthetic images are worth having as far as they come near it.",
)
def extra_real(mixer: "Mixer") -> "Drawings":
    """Like ``add``, with further real drawings."""
    return mixer.real + mixer.extra()


@kind(
    "{share} more steps (control)",
    "Training on the real images for {share} more steps",
    "#4f8fa8",
    most=MOST_SHARE,
    longer=True,
    control="Real images only, trained for the steps that full epochs take with images added. What "
    "it gains, longer training gains: where arms have equal epochs, only what goes beyond is due "
    "to the added images.",
)
def same_steps(mixer: "Mixer") -> "Drawings":
    """The real drawings alone, trained as long as ``add`` trains in full epochs."""
    return mixer.real


@kind(
    "Real images filtered (control)",
    "Leaving out the real images that the filter doubts",
    "#8a5a44",
    filtered=True,
    control="Real images only, without those that the filter doubts most: of each class as many "
    "stay as pass on average. What it gains is due to dropping doubtful drawings, not to synthetic "
    "ones.",
)
def real_filtered(mixer: "Mixer") -> "Drawings":
    """Those real drawings that the filter trusts most, of each class as many as pass on average."""
    return mixer.filtered_real()


@kind(
    "{share} mislabelled (control)",
    "Replacing {share} of the real images by mislabelled synthetic ones",
    "#c4502f",
    most=1.0,
    synthetic=True,
    control="Synthetic images with wrong labels. An effect that it shares has nothing to do with "
    "what the images show; what it loses is what wrong labels cost.",
)
def mislabelled(mixer: "Mixer") -> "Drawings":
    """Like ``replace``, with drawings that carry the student report's labelling fault."""
    return mixer.thinned() + mixer.mislabelled()


def _known(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"there is no such kind of arm; there are: {', '.join(KINDS)}")
    return name


class Arm(Settings):
    """How a training set is made, as a study asks for it."""

    arm: Annotated[str, AfterValidator(_known)]
    share: float | None = Field(
        None,
        gt=0,
        le=MOST_SHARE,
        description="of the real images: replaced, added, or worth of steps",
    )
    name: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,39}$",
        description="in place of the usual label, to tell arms of one kind apart",
    )
    augmentation: Augmentation | None = Field(
        None, description="in place of that of the recipe; {} for none"
    )
    optional: bool = Field(
        False, description="leave the arm out, instead of failing, where it has too few drawings"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        most = self.kind.most
        if most is not None and self.share is None:
            raise ValueError(f"arm {self.arm!r} needs a share, for example 0.3")
        if most is None and self.share is not None:
            raise ValueError(f"arm {self.arm!r} takes no share")
        if most is not None and (self.share or 0.0) > most:
            reason = "cannot replace more than all" if most == 1 else "cannot take so much"
            raise ValueError(f"arm {self.arm!r} {reason}: share at most {most:g}")
        if self.name in KINDS:
            raise ValueError(f"an arm cannot be named {self.name!r}, which is a kind of arm")
        if self.augmentation is not None and self.name is None:
            raise ValueError("an arm with an augmentation of its own needs a name of its own")
        return self

    @property
    def kind(self) -> Kind:
        """Its rules and words."""
        return KINDS[self.arm]

    @property
    def label(self) -> str:
        """Unique within a study, and usable as a file name: ``replace_30``."""
        if self.name is not None:
            return self.name
        return self.arm if self.share is None else f"{self.arm}_{100 * self.share:g}"

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
        return {**self.model_dump(mode="json", exclude={"optional"}), "label": self.label}

    @classmethod
    def recorded(cls, record: Mapping[str, Any]) -> Self:
        """The arm that an artifact's :meth:`record` is of."""
        return cls.model_validate({key: record[key] for key in cls.model_fields if key in record})
