"""Builds the zip that azd deploys: what .funcignore leaves of the project, in one order and with one date.

azd reads .funcignore as gitignore syntax, and so does this. The same tree gives the same bytes, so that what was tested
is what is deployed, and a digest can say so.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pathspec import GitIgnoreSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IGNORE_FILE: Final = ".funcignore"
REQUIRED: Final = ("host.json", "function_app.py", "requirements.txt")
"""Without these the platform finds no function, or installs nothing."""
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_FILE_MODE: Final = 0o100644
_PROGRAM_MODE: Final = 0o100755
_ANY_EXECUTE: Final = 0o111

_SECRETS: Final = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a storage account key": re.compile(rb"AccountKey=[A-Za-z0-9+/]{40,}"),
    "a shared access key": re.compile(rb"SharedAccessKey=[A-Za-z0-9+/]{20,}"),
    "a shared access signature": re.compile(rb"[?&]sig=[A-Za-z0-9%]{30,}"),
    "an instrumentation key": re.compile(rb"InstrumentationKey=[0-9a-fA-F-]{36}"),
    "a bearer token": re.compile(rb"\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\."),
}


class PackageError(Exception):
    """The tree cannot be deployed as it is; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Package:
    """A zip that was written: where, how large (bytes), its SHA-256, and its files in order."""

    path: Path
    size: int
    digest: str
    names: tuple[str, ...]


def members(root: Path) -> list[str]:
    """Give the files below `root` that are deployed, as sorted relative POSIX paths. Raises PackageError."""
    ignore = root / IGNORE_FILE
    if not ignore.is_file():
        raise PackageError(f"{ignore}: not found; without it the virtual environment would be deployed too")
    spec = GitIgnoreSpec.from_lines(ignore.read_text(encoding="utf-8").splitlines())
    found = sorted(_walk(root, root, spec))
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise PackageError(f"{ignore}: leaves out {', '.join(missing)}, without which nothing runs")
    return found


def _walk(root: Path, folder: Path, spec: GitIgnoreSpec) -> Iterator[str]:
    for entry in folder.iterdir():
        name = entry.relative_to(root).as_posix()
        # A folder that is ignored is not entered, as in git: a later `!` cannot bring back what is in it.
        if entry.is_dir():
            # What a link leads to lies outside the project, and is not deployed with it.
            if not entry.is_symlink() and not spec.match_file(f"{name}/"):
                yield from _walk(root, entry, spec)
        elif not spec.match_file(name):
            yield name


def secrets_in(name: str, content: bytes) -> list[str]:
    """Say what in a file looks like a secret, one sentence each."""
    return [f"{name}: holds {what}" for what, pattern in _SECRETS.items() if pattern.search(content)]


def build(root: Path, target: Path) -> Package:
    """Write the zip. Raises PackageError, and then writes nothing, when a file looks like it holds a secret."""
    names = members(root)
    contents = {name: (root / name).read_bytes() for name in names}
    found = [problem for name, content in contents.items() for problem in secrets_in(name, content)]
    if found:
        raise PackageError("; ".join(found) + ": remove it, nothing was written")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.partial")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(_entry(root / name, name), content)
    unfinished.replace(target)
    content = target.read_bytes()
    return Package(target, len(content), hashlib.sha256(content).hexdigest(), tuple(names))


def _entry(path: Path, name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    program = path.stat().st_mode & _ANY_EXECUTE
    info.external_attr = (_PROGRAM_MODE if program else _FILE_MODE) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def main(arguments: Iterable[str] | None = None) -> int:
    """Build the zip from the command line; 1 when the tree cannot be deployed."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Build the zip that azd deploys.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the project")
    parser.add_argument("--out", type=Path, default=Path("build/function-app.zip"), help="where to write the zip")
    given = parser.parse_args(None if arguments is None else list(arguments))
    try:
        package = build(given.root, given.out)
    except PackageError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own words
        return 1
    print(  # noqa: T201 - the command's answer
        f"{package.path}: {len(package.names)} files, {package.size / 1000:.0f} kB, sha256 {package.digest}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
