"""`drift alerts build`: writes the ARM bodies of the rules, or says which are not as they must be."""

from pathlib import Path
from typing import Final

from alerts import build as bodies
from alerts import corpus
from cli import console
from cli.words import counted
from core.errors import EXIT_DONE, EXIT_FAILURE, ConfigurationError
from kql.catalog import CatalogError

GENERATED: Final = Path(__file__).resolve().parent.parent / "infra" / "generated" / "alerts"


def build(rules: Path | None, out: Path | None, *, only_check: bool, json: bool) -> int:
    """Write a body for each rule; with `only_check` compare instead, 1 when a file differs."""
    try:
        wanted = bodies.files(corpus.read_rules(rules or corpus.RULES).values())
    except CatalogError as error:
        raise ConfigurationError(f"a rule's query cannot be built: {error}") from error
    folder = out or GENERATED
    wrong = bodies.differences(wanted, folder)
    if not only_check and wrong:
        bodies.write(wanted, folder)
    if json:
        console.show_json({"folder": corpus.shown(folder), "files": sorted(wanted), "differences": wrong})
    elif only_check and wrong:
        console.show_text("".join(f"{corpus.shown(folder)}/{text}\n" for text in wrong))
        console.show("not as built: run `drift alerts build`")
    else:
        done = "are as built" if only_check or not wrong else f"written, {len(wrong)} changed"
        console.show(f"{counted(len(wanted), 'file')} in {corpus.shown(folder)} {done}")
    return EXIT_FAILURE if only_check and wrong else EXIT_DONE
