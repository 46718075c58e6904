"""Write workbooks in the form they have here: what fits stands on one line, so that a file is short and a diff is read.

python scripts/format_workbooks.py [FILE…]        the four that ship, without FILE
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 120


def formatted(value: Any, depth: int = 0, taken: int = 0) -> str:
    """Give a value as JSON. `taken` is what stands on its line already, and what must follow it."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or depth + taken + len(line) <= WIDTH:
        return line
    if isinstance(value, dict):
        keys = [json.dumps(key, ensure_ascii=False) for key in value]
        parts = [
            f"{key}: {formatted(inner, depth + 1, len(key) + 3)}"
            for key, inner in zip(keys, value.values(), strict=True)
        ]
        return _lines("{", parts, "}", depth)
    return _lines("[", [formatted(inner, depth + 1, 1) for inner in value], "]", depth)


def _lines(begin: str, parts: list[str], end: str, depth: int) -> str:
    inside = ",\n".join(" " * (depth + 1) + part for part in parts)
    return f"{begin}\n{inside}\n{' ' * depth}{end}"


def main() -> None:
    """Write the files that differ."""
    given = [Path(argument) for argument in sys.argv[1:]]
    for path in given or sorted((ROOT / "workbooks").glob("*.workbook")):
        text = path.read_text("utf-8")
        wanted = formatted(json.loads(text)) + "\n"
        if wanted != text:
            path.write_text(wanted, "utf-8")
            print(path)


if __name__ == "__main__":
    main()
