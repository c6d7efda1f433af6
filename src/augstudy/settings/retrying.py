"""How often a step on a cluster is tried again."""

from typing import Literal

from pydantic import Field

from augstudy.settings.base import Settings


class Retry(Settings):
    """How often a step is tried again, and after how long.

    By itself, in its pod, where a service was unreachable (exit code 3); by Argo, in a new pod,
    where the pod was lost.
    """

    times: int = Field(2, ge=0, le=10, description="of each kind; 0 means never")
    wait_s: int = Field(30, ge=1, description="before the first retry")
    factor: float = Field(2.0, ge=1, description="each wait is this much longer")
    longest_wait_s: int = Field(300, ge=1)
    policy: Literal["OnError", "OnFailure", "Always"] = Field(
        "OnError", description="which pods Argo retries, lost or failed; needs KFP 2.18 or newer"
    )
