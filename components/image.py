"""The container image that every component runs in.

Set ``AUGSTUDY_IMAGE`` before compiling; components read it when they are imported. KFP's cache key
sees the name of the image but not the code inside, so name it by digest or by a tag that changes
with the content, never ``latest``. On a laptop the name is not used (KFP only wants to see
"python" in it).
"""

import os

IMAGE = os.environ.get("AUGSTUDY_IMAGE") or "augstudy-python:0.1.0"
