"""Programs in a process of their own: what is only true of a process that has imported nothing yet."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap


def run(script: str, *arguments: str, **environment: str) -> str:
    """Run a program, indented as it may be, with arguments; the last line that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return (done.stdout.strip().splitlines() or [""])[-1]
