"""Every setting, as pydantic models. An unknown key or a value out of range is an error."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from typing_extensions import Self

from augstudy.core.errors import InputError
from augstudy.core.names import why_no_class
from augstudy.core.rng import SEEDS
from augstudy.objects.address import refuse_credentials
from augstudy.settings.spec import IMAGE

MAMMALS = (
    "camel",
    "cow",
    "elephant",
    "giraffe",
    "horse",
    "kangaroo",
    "lion",
    "panda",
    "rhinoceros",
    "tiger",
    "zebra",
)

Precision = Literal["auto", "float32", "mixed_bfloat16"]
OnFailure = Literal["stop", "skip"]
ON_FAILURE: tuple[OnFailure, ...] = ("stop", "skip")


class Settings(BaseModel):
    """Base of all settings: immutable, and unknown keys are errors."""

    # Tracebacks end up in logs, and what was typed may be a secret in the wrong place.
    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), hide_input_in_errors=True
    )


class DataSettings(Settings):
    """Which drawings to read and how to split them."""

    source: str = Field("sample", description="sample, or a file://, gs:// or s3:// folder")
    classes: tuple[str, ...] = MAMMALS
    train_per_class: int = Field(60, ge=1, description="drawings a class set aside for training")
    val_per_class: int = Field(20, ge=1, description="validation drawings a class")
    test_per_class: int = Field(
        20, ge=0, description="test drawings a class; 0 means all that are left over"
    )
    level: int = Field(0, ge=0, description="training drawings a class in use; 0 means all")
    seed: int = Field(0, ge=0, lt=SEEDS, description="chooses the drawings and their splits")

    @field_validator("source")
    @classmethod
    def _without_credentials(cls, source: str) -> str:
        refuse_credentials(source, "source")
        return source

    @field_validator("classes")
    @classmethod
    def _names(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        for name in classes:
            if reason := why_no_class(name):
                raise ValueError(f"{name!r} is no name of a class: {reason}")
        return classes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.level > self.train_per_class:
            raise ValueError(
                f"level {self.level} is more than train_per_class {self.train_per_class}"
            )
        if len(self.classes) < 2:
            raise ValueError("at least two classes are needed")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("a class is named twice")
        return self

    @property
    def used_level(self) -> int:
        """Training drawings a class that are really used."""
        return self.level or self.train_per_class

    @property
    def needed_per_class(self) -> int:
        """Usable drawings that each class must have at least."""
        return self.train_per_class + self.val_per_class + max(1, self.test_per_class)


class OptimizerSettings(Settings):
    """An optimizer and its learning-rate schedule."""

    name: Literal["sgd", "rmsprop", "adam", "adamw"] = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    momentum: float = Field(0.0, ge=0, lt=1, description="sgd and rmsprop only")
    beta_1: float = Field(0.9, ge=0, lt=1, description="adam and adamw only")
    beta_2: float = Field(0.999, ge=0, lt=1, description="adam and adamw only")
    weight_decay: float = Field(0.0, ge=0, description="adamw only")
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_epochs: float = Field(0.0, ge=0, description="cosine only: epochs of linear warm-up")


class EarlyStopping(Settings):
    """Stop once the validation loss has not improved for a while."""

    patience: int = Field(10, ge=1, description="epochs")
    min_delta: float = Field(0.0, ge=0, description="a smaller gain of loss is none")


class ReduceOnPlateau(Settings):
    """Lower the learning rate when the validation loss stalls."""

    patience: int = Field(5, ge=1, description="epochs")
    factor: float = Field(0.5, gt=0, lt=1, description="by which the rate is multiplied")
    min_learning_rate: float = Field(1e-5, ge=0)


class Augmentation(Settings):
    """Random changes made to each training image each time it is seen."""

    horizontal_flip: bool = False
    vertical_flip: bool = False
    rotation: float = Field(0.0, ge=0, le=180, description="at most so many degrees")
    shift: float = Field(0.0, ge=0, le=0.5, description="at most this share of the width")
    zoom: float = Field(0.0, ge=0, lt=1, description="scale within 1 - zoom and 1 + zoom")
    stretch: float = Field(0.0, ge=0, lt=1, description="the same, for width and height apart")
    shear: float = Field(0.0, ge=0, lt=1, description="slant of at most so many pixels a pixel")

    @property
    def active(self) -> bool:
        """Whether it changes anything."""
        return self != Augmentation()

    def halved(self) -> "Augmentation":
        """Half as strong, and without flips."""
        limits = {
            name: getattr(self, name) / 2 for name in type(self).model_fields if "flip" not in name
        }
        return Augmentation.model_validate(limits)

    def joined(self, other: "Augmentation") -> "Augmentation":
        """For every setting the stronger of the two."""
        return Augmentation.model_validate(
            {
                name: max(getattr(self, name), getattr(other, name))
                for name in type(self).model_fields
            }
        )


class NetworkSettings(Settings):
    """Changes to the layers of an architecture of the student report; None leaves them alone."""

    filters: tuple[int, ...] | None = Field(None, min_length=1, description="one a block")
    kernels: tuple[int, ...] | None = Field(None, min_length=1, description="one a block")
    padding: Literal["valid", "same"] | None = Field(None, description="of every convolution")
    pooling: Literal["max", "average"] | None = Field(None, description="behind every block")
    pool_size: int | None = Field(None, ge=1, description="side and stride of a pooling")
    convs: int | None = Field(None, ge=1, description="convolutions a block")
    extra: tuple[int, ...] | None = Field(
        None, description="filters of convolutions behind the last block"
    )
    batch_norm: bool | None = Field(None, description="behind every convolution")
    dropout: float | None = Field(
        None, ge=0, lt=1, description="behind every pooling and before dense layers"
    )
    dense: tuple[int, ...] | None = Field(None, description="units of the layers before the last")

    def changes(self) -> dict[str, Any]:
        """What is not left alone."""
        return self.model_dump(exclude_none=True)


class ClassifierSettings(Settings):
    """A classifier and its training recipe."""

    architecture: str = Field("modern", description="layers of a recipe, by its name")
    network: NetworkSettings = NetworkSettings()
    loss: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    metric: Literal["categorical_accuracy"] = "categorical_accuracy"
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of a label that is spread over all classes"
    )
    optimizer: OptimizerSettings = OptimizerSettings()
    batch_size: int = Field(64, ge=1, description="images a gradient step")
    epochs: int = Field(50, ge=1, description="over the real drawings")
    budget: Literal["steps", "epochs"] = Field(
        "steps", description="what is equal in all arms: gradient steps, or passes over the images"
    )
    early_stopping: EarlyStopping | None = None
    reduce_on_plateau: ReduceOnPlateau | None = None
    augmentation: Augmentation = Field(Augmentation(), description="in every arm alike")
    classic: Augmentation = Field(
        Augmentation(horizontal_flip=True, rotation=15, shift=0.1, zoom=0.1),
        description="what arm classic adds to it",
    )
    mirror: bool = Field(False, description="predict the mean over a drawing and its mirror image")
    views: int = Field(
        1,
        ge=1,
        le=65,
        description="predict the mean over a drawing and copies, so many in all, that are changed "
        "half as much as in training",
    )
    precision: Precision = Field("auto", description="auto is bfloat16 on CPUs that compute in it")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        stop, plateau = self.early_stopping, self.reduce_on_plateau
        if stop and plateau and stop.patience % plateau.patience:
            raise ValueError("the patience of early_stopping must be a multiple of the plateau's")
        if plateau and self.optimizer.schedule != "constant":
            raise ValueError("reduce_on_plateau needs a constant learning-rate schedule")
        return self


class GeneratorSettings(Settings):
    """What all generators of labelled images have in common, and their training."""

    architecture: str = Field(description="networks of a recipe, by name")
    batch_size: int = Field(64, ge=2, multiple_of=2, description="real images a step")
    steps: int = Field(1500, ge=1, description="generator updates")
    learning_rate: float = Field(2e-4, gt=0, description="of the generator")
    final_rate: float = Field(1.0, gt=0, le=1, description="share of the rate left at the end")
    ema: float = Field(0.99, ge=0, lt=1, description="decay a step of the averaged generator")
    flip: bool = Field(False, description="mirror half of the real images")
    shift: float = Field(
        0.0, ge=0, le=IMAGE.height // 2, description="pixels by which images are moved"
    )
    zoom: float = Field(0.0, ge=0, lt=1, description="share by which images are scaled")
    # At most 50: generators of moments nearer to each other would seem to stand still.
    evaluations: int = Field(
        8, ge=1, le=50, description="times that the training is watched and the generator scored"
    )
    precision: Precision = Field("auto", description="auto is bfloat16 on CPUs that compute in it")


class GanSettings(GeneratorSettings):
    """An AC-GAN and how to train it. Moves and scales real and generated images alike."""

    architecture: str = Field("compact", description="networks of a recipe, by name")
    discriminator: str = Field(
        "", description="architecture of the discriminator, where it is not the generator's"
    )
    filter_size: int = Field(
        0,
        ge=0,
        le=IMAGE.height,
        description="side of the discriminator's filters; 0 is the architecture's",
    )
    spectral_norm: bool = Field(
        False, description="of the discriminator's weights, in the place of batch normalisation"
    )
    latent_dim: int = Field(100, ge=1, description="numbers of noise an image")
    discriminator_rate: float = Field(1.0, gt=0, description="times the generator's rate (TTUR)")
    beta_1: float = Field(0.5, ge=0, lt=1, description="of Adam, for both networks")
    beta_2: float = Field(0.999, ge=0, lt=1, description="of Adam, for both networks")
    loss: Literal["bce", "hinge"] = Field("bce", description="of telling real from generated")
    class_loss: Literal["ac", "adc"] = Field(
        "ac", description="auxiliary classifier, or one that tells real from generated as well"
    )
    class_weight: float = Field(1.0, ge=0, description="of the class loss beside the source loss")
    projection: float = Field(
        0.0, ge=0, description="how much an image's own class logit counts towards looking real"
    )
    variety: float = Field(
        0.0, ge=0, description="of the loss for images of a class being more alike than real ones"
    )
    cutout: float = Field(
        0.0, ge=0, lt=1, description="side of a square blanked in both, as a share of the image's"
    )


class DiffusionSettings(GeneratorSettings):
    """A diffusion model, how to train it and how to draw with it.

    It is told how an image was mirrored, moved and scaled, so what it draws is neither.
    """

    architecture: Literal["diffusion"] = "diffusion"
    width: int = Field(32, ge=8, multiple_of=8, description="channels at 14 x 14 pixels")
    beta_2: float = Field(0.99, ge=0, lt=1, description="of Adam")
    unlabelled: float = Field(
        0.1, ge=0, lt=1, description="share of images trained on without their class"
    )
    guidance: float = Field(
        1.0, ge=0, description="how far to go beyond what the class changes; 0 is without guidance"
    )
    sampling_steps: int = Field(16, ge=1, le=1000, description="denoiser calls an image")


class JudgeSettings(Settings):
    """The classifier whose eyes measure synthetic images, trained for that alone.

    None of those that are compared, even where their recipe is the same.
    """

    classifier: str = Field("modern_small", description="recipe of the judge")
    steps: int = Field(1000, ge=1, description="gradient steps of the judge")
    cas_steps: int = Field(
        400,
        ge=0,
        description="gradient steps of the classifiers behind the classification accuracy score, "
        "one trained on synthetic images and one on real ones; 0 leaves it out",
    )
    seed: int = Field(
        20_210, ge=0, lt=SEEDS, description="of the judge: the same whatever else is compared"
    )


class CurationSettings(Settings):
    """Which drawings the filter of ``add_filtered`` and ``real_filtered`` lets through."""

    strictness: float = Field(
        1.0,
        ge=0,
        description="times the threshold: the mean confidence in validation drawings of the class",
    )
    balance: bool = Field(True, description="take as many of every class")
    folds: int = Field(5, ge=2, description="of the cross-fitting that judges real drawings")


class ComparisonSettings(Settings):
    """How arms are compared."""

    equivalence_margin: float = Field(
        0.01, gt=0, lt=1, description="accuracy, as a share, below which a difference is none"
    )


class RetrainSettings(Settings):
    """What new data and a new classifier must be like to take the champion's place."""

    margin: float = Field(
        0.005,
        gt=-1,
        lt=1,
        description="accuracy that may be lost, as a share; a negative one must be gained",
    )
    max_drift: float = Field(
        0.25, gt=0, description="population stability index that the ink histogram may have"
    )
    max_shrink: float = Field(
        0.2, ge=0, le=1, description="share of its drawings that a class may have lost"
    )


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], values: Mapping[str, Any], what: str) -> Model:
    """Validate `values` as `model`.

    Raises:
        InputError: one sentence naming the first setting that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields)
            raise InputError(f"{what} has no setting {where!r}; it has: {known}.") from error
        message = first["msg"].removeprefix("Value error, ")
        if not where:  # a rule over several settings: the message says which
            raise InputError(f"{what}: {message}.") from error
        shown = "" if _is_secret(model, first["loc"]) else f" (got {first['input']!r})"
        raise InputError(f"{what}, {where}: {message}{shown}.") from error


def _is_secret(model: type[BaseModel], place: Sequence[int | str]) -> bool:
    """Whether an error at `place` is about a field whose value must not be shown."""
    field = model.model_fields.get(str(place[0]))
    return field is not None and SecretStr in (field.annotation, *get_args(field.annotation))
