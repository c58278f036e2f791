"""What is shipped to run Comity: a unit for systemd that the manager accepts, and a container without rights."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from comity.settings_file import DEFAULT_BIND

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "packaging" / "systemd" / "comity.service"
SYSUSERS = ROOT / "packaging" / "systemd" / "comity.sysusers"
CONTAINER = ROOT / "packaging" / "container" / "Containerfile"
ADDRESS = re.compile(r"https?://(?!127\.0\.0\.1)")


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Every setting of a unit and its values, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def instructions() -> list[tuple[str, str]]:
    """The instructions of the container file, continued lines joined, with what follows them."""
    lines = "\n".join(x for x in CONTAINER.read_text().splitlines() if not x.startswith("#")).replace("\\\n", " ")
    return [(a.upper(), b.strip()) for a, _, b in (x.strip().partition(" ") for x in lines.splitlines()) if a]


def of(word: str, *, last_stage: bool = False) -> list[str]:
    """What follows the instructions of that name."""
    found = instructions()
    begin = max(i for i, (name, _) in enumerate(found) if name == "FROM") if last_stage else 0
    return [rest for name, rest in found[begin:] if name == word]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there to verify the unit")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """Not one complaint, with a program that is there in place of ours."""
    unit = tmp_path / "comity.service"
    unit.write_text(re.sub(r"ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60)

    assert (0, "") == (done.returncode, "\n".join(x for x in done.stderr.splitlines() if "comity" in x))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there to rate the unit")
def test_the_unit_is_hardened() -> None:
    """The manager's own rating of its exposure, 0 to 10, is below 2."""
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "nrecognized option" in done.stderr:
        pytest.skip("this systemd cannot rate a unit that is not installed")

    assert 0 == done.returncode, done.stdout[-300:]


def test_the_unit_runs_what_we_promise() -> None:
    """An account without rights, a manager that is told and that watches, and time to end gently."""
    found = settings_of(UNIT)

    (user,), (start,) = found["User"], found["ExecStart"]
    assert user != "root"
    assert f"u {user} " in SYSUSERS.read_text()
    assert " serve --settings " in start
    for key, value in {
        "Type": "notify",
        "Restart": "on-failure",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "StateDirectory": "comity",
        "CapabilityBoundingSet": "",
    }.items():
        assert [value] == found[key]
    assert int(found["TimeoutStopSec"][0]) > 20


def test_the_container_is_built_in_two_stages_on_a_named_release() -> None:
    """No tag that moves from release to release, no address of a registry, and nothing of the build in what runs."""
    default = dict(a.split("=") for a in of("ARG"))
    bases = [re.sub(r"\$\{(\w+)\}", lambda m: default[m[1]], b.split()[0]) for b in of("FROM")]

    assert 2 == len(bases)
    for base in bases:
        name, _, tag = base.partition(":")
        assert "." not in name.split("/")[0]
        assert re.match(r"\d+\.\d+", tag)
        assert "latest" not in tag
    assert [True] == [c.startswith("--from=build ") for c in of("COPY", last_stage=True)]
    assert not of("ADD")
    assert not ADDRESS.search(CONTAINER.read_text())


def test_the_container_installs_what_was_locked_and_nothing_else() -> None:
    """Every installation is held to hashes, or asks no index at all; what is copied is there."""
    installs = [run for run in of("RUN") if "pip install" in run]
    assert 2 == len(installs)
    assert all("--require-hashes" in run or {"--no-deps", "--no-index"} <= set(run.split()) for run in installs)
    for copied in of("COPY"):
        if not copied.startswith("--from="):
            assert all((ROOT / name).exists() for name in copied.split()[:-1])


def test_the_container_runs_without_rights_and_tells_its_health() -> None:
    """A numbered account that is not root, a check of /livez on our port, and a signal that ends it gently."""
    (user,) = of("USER", last_stage=True)
    (health,) = of("HEALTHCHECK", last_stage=True)
    port = DEFAULT_BIND.rpartition(":")[2]

    assert 0 not in [int(n) for n in user.split(":")]
    assert f"127.0.0.1:{port}/livez" in health
    assert [port] == of("EXPOSE")
    assert ["SIGTERM"] == of("STOPSIGNAL")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert ['["comity"]'] == of("ENTRYPOINT")
    assert "comity" in scripts
    assert of("CMD")[0].startswith('["serve"')
