"""Write `drift` beside the interpreter that runs this file.

The app is deployed as a folder and never installed (its root names would enter site-packages), so the command cannot be
an entry point of a distribution: this launcher puts the project's root first on the path instead.
"""

import stat
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = """#!{python}
import sys

sys.path.insert(0, {root!r})
from cli.main import run

if __name__ == "__main__":
    sys.exit(run())
"""


def main() -> None:
    """Create the launcher and make it executable."""
    launcher = Path(sys.prefix) / "bin" / "drift"
    launcher.write_text(TEMPLATE.format(python=sys.executable, root=str(ROOT)), encoding="utf-8")
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    main()
