"""The data dictionary is derived, and CI notices when it is not."""

import subprocess
import sys
from pathlib import Path


def test_the_data_dictionary_is_up_to_date(project_root: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "scripts/data_dictionary.py", "--check"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 0, ended.stderr
