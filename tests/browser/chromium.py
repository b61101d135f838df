"""Finds the Chromium that browser tests drive, and installs one where there is none.

Run as `python -m tests.browser.chromium`: prints the path; exit 1 where none could be had.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No other host is ever found: whatever asks one, fails.
# Headless, without a sandbox where we are root, and without calls to services of its maker.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)


def find() -> str | None:
    """The path of a Chromium: AMAD_CHROMIUM, one on PATH, or Playwright's own; None where there is none."""
    named = os.environ.get("AMAD_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights_own()


def install() -> str | None:
    """Installs a Chromium: by apt where we are root on Debian or a child of it, else Playwright's own."""
    if platform.system() == "Linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    found = find() or install()
    if found is None:
        print("No Chromium found, and none could be installed. Name one in AMAD_CHROMIUM.", file=sys.stderr)
        sys.exit(1)
    print(found)
