"""Settings of a classifier and of its training."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from augstudy.settings.augmentation import Augmentation
from augstudy.settings.base import Precision, Settings

_SAVED = ".keras"


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
    min_delta: float = Field(0.0, ge=0, description="a smaller gain counts as none")


class ReduceOnPlateau(Settings):
    """Lower the learning rate when the validation loss stalls."""

    patience: int = Field(5, ge=1, description="epochs")
    factor: float = Field(0.5, gt=0, lt=1, description="by which the rate is multiplied")
    min_learning_rate: float = Field(1e-5, ge=0)


class NetworkSettings(Settings):
    """Changes to the layers of an architecture of the student report; None changes nothing."""

    filters: tuple[int, ...] | None = Field(None, min_length=1, description="one per block")
    kernels: tuple[int, ...] | None = Field(None, min_length=1, description="one per block")
    padding: Literal["valid", "same"] | None = Field(None, description="of every convolution")
    pooling: Literal["max", "average"] | None = Field(None, description="after every block")
    pool_size: int | None = Field(None, ge=1, description="size and stride of the pooling window")
    convs: int | None = Field(None, ge=1, description="convolutions per block")
    extra: tuple[int, ...] | None = Field(
        None, description="filters of further convolutions after the last block"
    )
    batch_norm: bool | None = Field(None, description="after every convolution")
    dropout: float | None = Field(
        None, ge=0, lt=1, description="after every pooling and before dense layers"
    )
    dense: tuple[int, ...] | None = Field(None, description="units of dense layers before the last")

    def changes(self) -> dict[str, Any]:
        """The changes alone."""
        return self.model_dump(exclude_none=True)


class Backbone(Settings):
    """A trained network whose features the classifier uses, instead of layers of its own."""

    network: str = Field(
        description="a classifier that a study has saved, such as gs://bucket/model.keras, or a "
        "network of keras.applications, such as MobileNetV2"
    )
    weights: str = Field(
        "imagenet",
        description="of a network of keras.applications: what Keras downloads, or a file of them",
    )
    size: int = Field(96, ge=32, le=512, description="pixels a side that such a network is given")
    fine_tune: bool = Field(False, description="train its layers as well, not only what is new")

    @property
    def file(self) -> str:
        """Path or URI of what it reads; empty where Keras downloads."""
        if self.network.endswith(_SAVED):
            return self.network
        return "" if self.weights == "imagenet" else self.weights

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        is_file = self.network.endswith(_SAVED)
        if not is_file and not self.network.isidentifier():
            raise ValueError("network must be a .keras file or a network of keras.applications")
        if is_file and self.weights != "imagenet":
            raise ValueError("weights is for networks of keras.applications, not for a .keras file")
        if self.file and not self.file.endswith((_SAVED, ".h5")):
            raise ValueError("weights must be imagenet or a .h5 or .keras file")
        if self.file and not self.file.startswith("/") and "://" not in self.file:
            raise ValueError("give an absolute path or a URI, since steps run in other folders")
        return self


class ClassifierSettings(Settings):
    """A classifier and its training recipe."""

    architecture: str = Field("modern", description="name of the recipe whose layers to use")
    network: NetworkSettings = NetworkSettings()
    backbone: Backbone | None = Field(None, description="its network alone, or a mapping")
    loss: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    metric: Literal["categorical_accuracy"] = "categorical_accuracy"
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of each label that is spread over all classes"
    )
    optimizer: OptimizerSettings = OptimizerSettings()
    batch_size: int = Field(64, ge=1, description="images per gradient step")
    epochs: int = Field(50, ge=1, description="passes over the real images")
    budget: Literal["steps", "epochs"] = Field(
        "steps", description="what all arms have in common: gradient steps, or epochs"
    )
    keep: Literal["best", "last"] = Field(
        "best", description="weights of the epoch with the lowest validation loss, or of the last"
    )
    early_stopping: EarlyStopping | None = None
    reduce_on_plateau: ReduceOnPlateau | None = None
    augmentation: Augmentation = Field(Augmentation(), description="the same in every arm")
    classic: Augmentation = Field(
        Augmentation(horizontal_flip=True, rotation=15, shift=0.1, zoom=0.1),
        description="what arm classic adds to it",
    )
    mirror: bool = Field(False, description="predict the mean over an image and its mirror image")
    views: int = Field(
        1,
        ge=1,
        le=65,
        description="predict the mean over this many views of an image: itself, and copies changed "
        "half as much as in training",
    )
    precision: Precision = Field("auto", description="auto: bfloat16 on CPUs that are faster in it")

    @field_validator("backbone", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"network": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.backbone and self.network.changes():
            raise ValueError("network changes layers that backbone replaces: leave out one of them")
        stop, plateau = self.early_stopping, self.reduce_on_plateau
        if stop and plateau and stop.patience % plateau.patience:
            raise ValueError("the patience of early_stopping must be a multiple of the plateau's")
        if stop and self.keep == "last":
            raise ValueError("early_stopping keeps the best weights: leave it out, or keep")
        if plateau and self.optimizer.schedule != "constant":
            raise ValueError("reduce_on_plateau needs a constant learning-rate schedule")
        return self
