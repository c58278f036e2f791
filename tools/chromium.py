"""See to it that Chromium is there for the browser tests, or say plainly that they will be skipped. Never fails."""

import os
import shutil
import subprocess
import sys

INSTALL = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
MINUTES = 10


def main() -> int:
    """Find Chromium, else install it where that needs no password. Returns 0: without it the other tests still run."""
    if found := shutil.which("chromium"):
        print(f"browser tests: {found}")
        return 0
    if (why := obstacle()) or (why := install()):
        print(f"browser tests: will be SKIPPED, for there is no Chromium: {why}.")
        print("               To run them, install a package that brings the command `chromium`.")
    else:
        print(f"browser tests: {shutil.which('chromium')}, just installed")
    return 0


def obstacle() -> str:
    """Why Chromium cannot be installed here, or nothing."""
    if shutil.which("apt-get") is None:
        return "this system has no apt-get to install it with"
    if as_root() is None:
        return "installing it needs root, or sudo without a password"
    return ""


def as_root() -> list[str] | None:
    """What to put before a command to run it as root: nothing, sudo, or None where neither is allowed."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def install() -> str:
    """Install Chromium with apt-get. Returns why it did not work, or nothing."""
    # env, because sudo passes no environment on
    prefix = [*(as_root() or []), "env", "DEBIAN_FRONTEND=noninteractive"]
    for command in (["apt-get", "update"], INSTALL):
        print(f"browser tests: {' '.join(command)} ...", flush=True)
        try:
            done = subprocess.run(
                [*prefix, *command], capture_output=True, text=True, errors="replace", check=False, timeout=60 * MINUTES
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)} did not finish ({error})"
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return f"{' '.join(command)} said: {lines[-1] if lines else f'exit code {done.returncode}'}"
    return "" if shutil.which("chromium") else "apt-get installed it, but the command `chromium` is not there"


if __name__ == "__main__":
    sys.exit(main())
