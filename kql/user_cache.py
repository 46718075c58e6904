"""Where what may be lost is kept for a user: below one folder, for everything that keeps something."""

import os
from pathlib import Path


def user_cache() -> Path:
    """Give the folder (XDG Base Directory Specification): a relative XDG_CACHE_HOME counts as none.

    Raises RuntimeError where neither that nor a home is known.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "drift"
