"""How many images a source has, before any of them was read."""

from collections.abc import Mapping
from dataclasses import dataclass

from augstudy.settings.data import DataSettings


@dataclass(frozen=True)
class Listed:
    """Images of each class by name, and how many of them the source gives as test images."""

    images: Mapping[str, int]
    given: Mapping[str, int]

    def tested(self, settings: DataSettings) -> int:
        """About how many test images a study has: blank, equal and broken ones are not known yet.

        Args:
            settings: how the images are split.
        """
        return sum(self._tested(name, settings) for name in self.images)

    def _tested(self, name: str, settings: DataSettings) -> int:
        count, wanted = self.images[name], settings.test_per_class
        if settings.folds:
            return min(count, settings.folds * wanted or count)
        if any(self.given.values()):
            return min(self.given.get(name, 0), wanted or count)
        if wanted:
            return wanted
        _, of_val, of_test = settings.image_settings.shares
        if settings.train_per_class:
            val = settings.val_per_class or round(count * of_val)
            return max(1, min(self.images.values()) - settings.train_per_class - val)
        return max(1, round(count * of_test))
