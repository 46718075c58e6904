"""All checks over a set of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra import roles
from infra.check.deployment import Deployment, Player
from infra.check.event_grid import check_event_grid
from infra.check.findings import Finding
from infra.check.lexer import BicepSyntaxError
from infra.check.parameter_files import check_parameter_file
from infra.check.parser import parse
from infra.check.policy import check_policy, check_secrets
from infra.check.role_assignments import check_roles
from infra.check.start_time import check_start_time
from infra.check.symbols import check_symbols
from infra.check.syntax import check_syntax
from infra.check.wiring import check_wiring, function_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from infra.check.nodes import Document


def check(root: Path, files: Collection[Path] = ()) -> list[Finding]:
    """Check everything in infra/ below `root`, and give what is found, sorted; of `files` alone where any are named.

    A file means nothing without those that call it and those that it calls, so all are read in any case. Paths are
    relative to the root.
    """
    findings: list[Finding] = []
    documents: dict[Path, Document] = {}
    for path in sorted(file.relative_to(root) for file in (root / "infra").rglob("*.bicep")):
        text = (root / path).read_text(encoding="utf-8")
        findings += check_syntax(path, text)
        try:
            documents[path] = parse(path, text)
        except BicepSyntaxError as error:
            findings.append(Finding(path, error.line, "syntax", str(error)))
            continue
        for look in (check_symbols, check_secrets, check_start_time):
            findings += look(documents[path])
    outcome = play(root, documents)
    findings += [*outcome.findings, *check_policy(outcome.instances), *check_event_grid(outcome.instances)]
    findings += check_roles(outcome.instances, roles.load())
    findings += check_wiring(outcome.instances, function_names(root))
    findings += _parameter_files(root, documents)
    return sorted({finding for finding in findings if not files or finding.path in files})


def _parameter_files(root: Path, documents: Mapping[Path, Document]) -> Iterator[Finding]:
    """Check the parameter files of the main template."""
    template = next((each for path, each in documents.items() if path.name == "main.bicep"), None)
    if template is None:
        return
    folder = root / template.path.parent
    for file in sorted([*folder.glob("*.parameters.json"), *folder.glob("environments/*.parameters.json")]):
        yield from check_parameter_file(file.relative_to(root), file.read_text(encoding="utf-8"), template)


def play(root: Path, documents: Mapping[Path, Document]) -> Deployment:
    """Play the roots, and what no root reaches on its own."""
    player = Player(root, documents)
    for document in roots(documents):
        player.play(document)
    for document in documents.values():
        if document.path not in player.visited:
            player.play(document)
    return player.outcome


def roots(documents: Mapping[Path, Document]) -> Iterator[Document]:
    """Give the files that no other one uses as a module."""
    used = {
        (document.path.parent / declared.type).as_posix()
        for document in documents.values()
        for declared in document.of("module")
    }
    return (document for document in documents.values() if document.path.as_posix() not in used)
