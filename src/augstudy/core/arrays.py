"""Names of the arrays that most of the library is about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""Grey images (N, height, width), or colour images (N, height, width, 3) in RGB."""

Labels = NDArray[np.integer[Any]]
"""The class of each image (N,), from 0."""

Probabilities = NDArray[np.float32]
"""Of classes, as networks predict them."""

Floats = NDArray[np.float64]
"""What is computed with them."""
