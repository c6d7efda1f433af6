"""The AC-GAN: one Keras model that plain ``fit`` trains, on every backend.

A training step runs the generator once. The discriminator's loss sees its images behind
``stop_gradient``; the generator's loss sees the discriminator through ``stateless_call`` with
stopped weights. So the sum of both losses gives each network the gradient of its own loss alone.
"""

from collections.abc import Mapping
from typing import Any

from augstudy.models import augment, losses
from augstudy.models.averages import follow
from augstudy.models.backend import keras
from augstudy.models.colours import GREY
from augstudy.models.normalisation import fused
from augstudy.settings.generators import GanSettings

ops = keras.ops


@keras.saving.register_keras_serializable(package="augstudy")
class TwoRateAdam(keras.optimizers.Adam):
    """Adam whose rate is `ratio` times larger for variables whose path starts with `prefix`."""

    def __init__(self, *args: Any, prefix: str = "discriminator", ratio: float = 1.0, **kw: Any):
        super().__init__(*args, **kw)
        self.prefix, self.ratio = prefix, ratio
        self._scaled: set[int] = set()

    def build(self, variables: list[Any]) -> None:
        """Note which of the `variables` learn at the other rate, and create the moments."""
        self._scaled = {
            index for index, item in enumerate(variables) if item.path.startswith(self.prefix)
        }
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable at its own rate."""
        if self._get_variable_index(variable) in self._scaled:
            learning_rate = learning_rate * self.ratio
        super().update_step(gradient, variable, learning_rate)

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        return {**super().get_config(), "prefix": self.prefix, "ratio": self.ratio}


class ACGAN(keras.Model):
    """A generator, a discriminator and the running average of the generator.

    Feed ``fit`` with batches of ``{"images": uint8 (N, height, width, channels), "labels":
    int32 (N,)}``; one image is generated for each real one, of the same class.
    """

    METRICS = (
        "discriminator_loss",
        "generator_loss",
        "source_loss",
        "source_accuracy",
        "class_accuracy",
        "fake_class_accuracy",
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        settings: GanSettings,
        background: int | None,
        seed: int = 0,
    ) -> None:
        super().__init__(name="acgan")
        self._background = background
        self.generator = generator
        self.discriminator = discriminator
        self.average = fused(keras.models.clone_model(generator))
        self.average.set_weights(generator.get_weights())
        self.average.trainable = False
        self.settings = settings
        self.random = keras.random.SeedGenerator(seed)
        self.seen = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="seen"
        )
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.METRICS}
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Generate one image a label: float32 (N, height, width, channels) in 0-1."""
        labels = inputs["labels"]
        latent_dim = self.generator.inputs[0].shape[-1]
        noise = keras.random.normal((ops.shape(labels)[0], latent_dim), seed=self.random)
        return self.generator([noise, labels], training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The sum of both networks' losses, for real batch `x` and generated images `y_pred`."""
        self._update_average()
        labels, drawn = x["labels"], 255.0 * y_pred
        count = ops.shape(labels)[0]
        real = ops.cast(x["images"], "float32")
        if self.settings.flip:
            real = augment.mirror_half(real, self.random)
        both = self._augment(ops.concatenate([real, drawn]))
        seen, fakes = both[:count], both[count:]
        learning = self._discriminator_loss(seen, ops.stop_gradient(fakes), labels)
        drawing = self._generator_loss(fakes, labels)
        if self.settings.variety:
            drawing = drawing + self.settings.variety * losses.variety_loss(real, drawn)
        self.trackers["discriminator_loss"].update_state(learning)
        self.trackers["generator_loss"].update_state(drawing)
        return learning + drawing

    def source_logits(self, images: Any, labels: Any) -> Any:
        """How real (N,) `images` (N, H, W, C) in 0-255 look as ones of their class."""
        source, logits = self.discriminator(images, training=False)
        return self._source_logits(source, logits, labels)

    def _augment(self, images: Any) -> Any:
        """DiffAugment: one distribution of changes for real and generated images."""
        settings = self.settings
        if settings.shift or settings.zoom:
            images = augment.jitter(
                images, settings.shift, settings.zoom, self.random, self._background
            )
        if settings.cutout:
            blank = GREY if self._background is None else self._background
            images = augment.cutout(images, settings.cutout, self.random, blank)
        return images

    def _source_logits(self, source: Any, logits: Any, labels: Any) -> Any:
        if not self.settings.projection:
            return source[:, 0]
        scores = losses.class_scores(logits, self.settings.class_loss)
        own = ops.sum(ops.one_hot(labels, scores.shape[-1], dtype="float32") * scores, axis=-1)
        return source[:, 0] + self.settings.projection * own

    def _discriminator_loss(self, real: Any, fakes: Any, labels: Any) -> Any:
        settings, count = self.settings, ops.shape(labels)[0]
        source, logits = self.discriminator(ops.concatenate([real, fakes]), training=True)
        real_logits, fake_logits = logits[:count], logits[count:]
        taken = self._source_logits(source[:count], real_logits, labels)
        given = self._source_logits(source[count:], fake_logits, labels)
        hits = ops.concatenate([taken > 0, given <= 0])
        self.trackers["source_accuracy"].update_state(ops.cast(hits, "float32"))
        self._track_class("class_accuracy", labels, real_logits)
        self._track_class("fake_class_accuracy", labels, fake_logits)
        loss = losses.discriminator_source_loss(taken, given, settings.loss)
        self.trackers["source_loss"].update_state(loss)
        if not settings.class_weight:
            return loss
        return loss + settings.class_weight * losses.discriminator_class_loss(
            labels, real_logits, fake_logits, settings.class_loss
        )

    def _generator_loss(self, fakes: Any, labels: Any) -> Any:
        settings = self.settings
        weights = [ops.stop_gradient(v.value) for v in self.discriminator.trainable_variables]
        state = [v.value for v in self.discriminator.non_trainable_variables]
        (source, logits), _ = self.discriminator.stateless_call(
            weights, state, fakes, training=False
        )
        given = self._source_logits(source, logits, labels)
        loss = losses.generator_source_loss(given, settings.loss)
        if not settings.class_weight:
            return loss
        return loss + settings.class_weight * losses.generator_class_loss(
            labels, logits, settings.class_loss
        )

    def _track_class(self, name: str, labels: Any, logits: Any) -> None:
        scores = losses.class_scores(logits, self.settings.class_loss)
        hits = ops.equal(ops.argmax(scores, axis=-1), ops.cast(labels, "int32"))
        self.trackers[name].update_state(ops.cast(hits, "float32"))

    def _update_average(self) -> None:
        follow(self.average, self.generator, self.settings.ema, self.seen)
