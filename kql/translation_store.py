"""Keeps translations between processes, for translating what ships takes two seconds and never changes.

One file for each text, in a folder for each release of the translator, of the functions and of the tables: whatever
they change leads to another folder, and the least used folders go. Nothing depends on it: what cannot be read is
translated anew, and what cannot be written is not kept.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kql.many_moments import NOW
from kql.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FOLDERS: Final = 3
MOST_TEXTS: Final = 500
"""Of one folder: what ships is a few dozen, and what people ask ad hoc must not fill a disk."""


def default_root() -> Path | None:
    """Give where a user's translations lie, or None where nobody's home is known."""
    with suppress(RuntimeError):
        return user_cache() / "kql"
    return None


class Store:
    """The kept translations of one translator. `identity` is all that a translation depends on, besides its text."""

    def __init__(self, root: Path | None, identity: str) -> None:
        self._folder = root / sha256(identity.encode()).hexdigest()[:32] if root else None
        self._is_ready: bool | None = None

    def read(self, text: str) -> tuple[str, Mapping[str, Any]] | None:
        """Give what a text was translated to: SQL, and its parameters."""
        if self._folder is None or not _is_own(self._folder):
            return None
        try:
            kept = json.loads(_file(self._folder, text).read_text("utf-8"))
            return str(kept["sql"]), dict(kept["given"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, text: str, sql: str, given: Mapping[str, Any]) -> None:
        """Keep a translation, whole or not at all; none with values of its own, for now() is given by each query."""
        if self._folder is None or not set(given) <= {NOW}:
            return
        with suppress(OSError):
            if not self._made(self._folder):
                return
            content = json.dumps({"sql": sql, "given": dict.fromkeys(given)})
            handle, unfinished = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(content)
                Path(unfinished).replace(_file(self._folder, text))
            except OSError:
                Path(unfinished).unlink(missing_ok=True)

    def _made(self, folder: Path) -> bool:
        """Make the folder, and let old ones go, at the first use; tell whether there is room in it."""
        if self._is_ready is None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            others = [each for each in folder.parent.iterdir() if each.is_dir() and each != folder]
            for old in sorted(others, key=lambda each: each.stat().st_mtime)[: max(0, len(others) - MOST_FOLDERS + 1)]:
                shutil.rmtree(old, ignore_errors=True)
            self._is_ready = _is_own(folder)
        return self._is_ready and sum(1 for _ in folder.iterdir()) < MOST_TEXTS


def _file(folder: Path, text: str) -> Path:
    return folder / f"{sha256(text.encode()).hexdigest()[:32]}.json"


def _is_own(folder: Path) -> bool:
    """Tell whether nobody else can have written here, for what is read is run."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
