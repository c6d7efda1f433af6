"""Checkpoints in a store, and who removes them.

A training that has ended may still be lost: on a cluster KFP uploads its artifact only after the
step. So the training itself leaves its checkpoints where they are, and names them in the manifest
of the artifact. A later step that has made something of that artifact has proof that it was
published, and removes them. What a run leaves that never comes so far, a later one of the same
training takes up and removes; for the rest the bucket needs a life cycle rule.
"""

import logging
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from augstudy.core.errors import AugstudyError
from augstudy.core.manifest import MANIFEST

VARIABLE = "AUGSTUDY_CHECKPOINTS"
FIELD = "checkpoints"
_KEY = re.compile("[0-9a-f]{32}")  # a manifest may have been written by anybody

logger = logging.getLogger("augstudy")


def remove(provenances: Iterable[Mapping[str, Any]]) -> None:
    """Remove the checkpoints of the trainings that these provenances tell of.

    A store that cannot be reached costs a warning.
    """
    root = os.environ.get(VARIABLE)
    named = {str(key) for told in provenances for key in told.get(FIELD, ())}
    keys = sorted(key for key in named if _KEY.fullmatch(key))
    if not root or not keys:
        return
    from augstudy.objects import open_store

    try:
        store = open_store(root)
        for key in keys:
            # The manifest first: without it, what is left is no checkpoint.
            for name in sorted(store.keys(f"{key}/"), key=lambda item: not item.endswith(MANIFEST)):
                store.delete(name)
    except (AugstudyError, OSError) as error:
        logger.warning("Checkpoints of finished trainings remain in %s: %s", root, error)
