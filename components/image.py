"""The container images that components run in.

KFP's cache key sees the name of the image but not the code inside, so it is a digest or a tag that
changes with the content, never ``latest``. On a laptop the name is not used (KFP only wants to see
"python" in it).
"""

from augstudy.cluster.settings import load

_DEFAULT = "augstudy-python:0.1.0"

IMAGE = load().image or _DEFAULT
GPU_IMAGE = load().gpu_image or f"{IMAGE}-gpu"
