"""The container images that components run in.

KFP's cache key sees the name of the image but not the code inside, so it is a digest or a tag that
changes with the content, never ``latest``. Unless the settings name an image, it is the one that
``make images`` makes of this checkout. On a laptop the name is not used (KFP only wants to see
"python" in it).
"""

from pathlib import Path

from augstudy.cluster import image
from augstudy.cluster.settings import load

IMAGE = load().image or image.default(Path(__file__).parents[1])
GPU_IMAGE = load().gpu_image or f"{IMAGE}{image.GPU_SUFFIX}"
