"""Where a store answers, and as whom, where the environment is not what says so."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SignIn:
    """Address and credentials of a store; what is empty comes from the environment.

    No representation shows a secret.
    """

    endpoint: str = ""
    region: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    token: bytes = field(default=b"", repr=False)  # Google's credentials, a JSON file
