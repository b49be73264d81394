"""Find or install the Chromium that the browser tests drive: `python -m tests.browser`.

A Chromium on the machine is taken as it is. Otherwise Debian's is installed where that is possible (as root,
with apt-get), else Playwright's own is downloaded. If neither can be had, what is missing is said plainly.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def on_machine() -> str | None:
    """Path of a Chromium that is already here, or None."""
    chosen = os.environ.get("CLIPSPECT_CHROMIUM")
    return chosen or next((path for name in _NAMES if (path := shutil.which(name))), None)


def playwrights() -> str | None:
    """Path of the Chromium that Playwright downloaded, or None."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def find() -> str | None:
    """Path of a Chromium to drive, or None."""
    return on_machine() or playwrights()


def install() -> None:
    """Install Debian's Chromium if that can be done, else Playwright's."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "-qq", "update"],
            ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium", "fonts-noto-core"],
        ):
            if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode:
                break
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])


def main() -> int:
    """Make sure there is a browser; 1 if none can be had."""
    if find() is None:
        install()
    found = find()
    if found is None:
        print(
            "The browser tests need Chromium, and none could be installed: not from Debian's packages (that needs "
            "root and a package index), nor Playwright's own (that needs its download site). Install Chromium and "
            "name it in CLIPSPECT_CHROMIUM, or run the other tests with: pytest -m 'not browser'",
            file=sys.stderr,
        )
        return 1
    print(f"browser: {found}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
