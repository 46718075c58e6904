"""What `drift infra` does."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cli import console
from core.errors import EXIT_DONE, EXIT_FAILURE, InputError
from infra import build as builder
from infra.costs import PRICES, Fleet, estimate, read_prices, shown_price, total


def build(*, check: bool, json: bool, root: Path = builder.ROOT) -> int:
    """Write the generated files, or say which differ."""
    paths = [artefact.path for artefact in builder.stale(root)] if check else builder.write(root)
    if json:
        console.show_json({"ok": not (check and paths), "stale" if check else "written": list(map(str, paths))})
    elif not paths:
        console.show("everything is as its source gives it")
    for path in () if json else paths:
        console.show(f"{path} differs from its source: run `drift infra build`" if check else f"wrote {path}")
    return EXIT_FAILURE if check and paths else EXIT_DONE


def check(files: Sequence[Path], *, json: bool, root: Path = builder.ROOT) -> int:
    """Check files, or everything; every finding is one line."""
    from infra.check.generated import check_generated
    from infra.check.run import check as run

    findings = run(root, [_below(root, file) for file in files])
    if not files:
        findings = sorted([*findings, *check_generated(root)])
    if json:
        rows = [
            {"path": str(each.path), "line": each.line, "code": each.code, "message": each.message} for each in findings
        ]
        console.show_json({"ok": not findings, "findings": rows})
    for finding in () if json else findings:
        console.stdout().print(str(finding), markup=False, soft_wrap=True)
    if not json:
        count = len(findings)
        console.say(f"{count} finding{'s' if count != 1 else ''}" if count else "nothing found; this is no compile")
    return EXIT_FAILURE if findings else EXIT_DONE


def list_codes(*, json: bool) -> int:
    """List the codes of findings."""
    from infra.check.findings import CODES

    if json:
        console.show_json(CODES)
        return EXIT_DONE
    table = console.table()
    table.add_column("code")
    table.add_column("what is found")
    for code, meaning in CODES.items():
        table.add_row(code, meaning)
    console.show(table)
    return EXIT_DONE


def cost(fleet: Fleet, prices: Path | None, *, json: bool) -> int:
    """Show the estimate."""
    lines = estimate(fleet, read_prices(prices or PRICES))
    if json:
        console.show_json({"fleet": asdict(fleet), "lines": [asdict(line) for line in lines], "total": total(lines)})
        return EXIT_DONE
    table = console.table(f"a month with {fleet.groups:,} container groups, USD")
    for name, justify in (("meter", "left"), ("quantity", "right"), ("unit", "left"), ("price", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("cost", justify="right")
    table.add_column("price read from", overflow="fold")
    for line in lines:
        price = shown_price(line.price)
        shown = "" if line.cost is None else f"{line.cost:,.2f}"
        table.add_row(line.meter, f"{line.quantity:,.2f}", line.unit, price, shown, line.source)
    table.add_row("total of what is priced", "", "", "", f"{total(lines):,.2f}", "")
    console.show(table)
    return EXIT_DONE


def _below(root: Path, file: Path) -> Path:
    """Give a file's path below the root; raises InputError for one that is not there."""
    try:
        path = file.resolve().relative_to(root.resolve())
    except ValueError:
        raise InputError(f"{file} is not in the project's folder {root}") from None
    if not (root / path).is_file() or path.suffix != ".bicep" or path.parts[0] != "infra":
        raise InputError(f"{file}: a Bicep file in {root / 'infra'} is needed")
    return path
