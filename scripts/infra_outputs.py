"""Print a deployment's outputs as NAME=value lines, as azd gives them to its hooks: for workflows without azd.

    az deployment sub show --name acidns-dev --query properties.outputs > outputs.json
    python scripts/infra_outputs.py outputs.json >> "$GITHUB_ENV"

Names are in capitals, whatever case Azure gives them back in; lists and objects are JSON on one line.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def lines(outputs: dict[str, Any]) -> Iterator[str]:
    """Give one line for each output; raises ValueError for a value that would break out of its line."""
    for name, output in outputs.items():
        value = output["value"]
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        if "\n" in text or "\r" in text:
            raise ValueError(f"the output {name} has more than one line")
        yield f"{name.upper()}={text}"


def main() -> int:
    """Read the file that is named, and print."""
    try:
        found = list(lines(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    except (IndexError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"infra_outputs: a file with the outputs of a deployment is needed: {error}", file=sys.stderr)
        return 64
    print("\n".join(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
