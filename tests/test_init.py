"""``comity init``: what is written can be served, all of it or nothing, and nobody else can read its secrets."""

import importlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from comity.charter_file import load_charter
from comity.cli import comity
from comity.cli.first_settings import short_id
from comity.cli.new_files import NewFile, write_together
from comity.core.errors import ComityError
from comity.settings import Mode
from comity.settings_file import load_settings
from commanding import run

ENOUGH = ("--yes", "--server-name", "example.org", "--inviter", "@olive:example.org")


def rights(path: Path) -> int:
    """Who may read and write a file."""
    return stat.S_IMODE(path.stat().st_mode)


def registered(path: Path) -> Any:  # noqa: ANN401  what YAML holds
    """A registration as the homeserver reads it."""
    return importlib.import_module("yaml").safe_load(path.read_text())


def test_what_is_written_can_be_served(tmp_path: Path) -> None:
    """Unattended, from two answers: settings, charter and registration fit together, and begin on a dry run."""
    done = run("init", *ENOUGH, "--folder", tmp_path / "garden", "--name", "Tea Garden")
    assert done.exit_code == 0, done.output
    settings = load_settings(tmp_path / "garden" / "comity.toml")

    (community,) = settings.communities
    assert ("tea-garden", "Tea Garden", True) == (
        community.id,
        load_charter(community.charter).community,
        community.dry_run,
    )
    assert ("@comity:example.org", ("@olive:example.org",)) == (settings.matrix.user, community.inviters)
    assert 0 == run("serve", "--settings", settings.path, "--check").exit_code


def test_the_registration_asks_for_no_room_but_those_it_is_invited_to(tmp_path: Path) -> None:
    """Its tokens are those of the settings, its names our own accounts only, and the file says why rooms is empty."""
    run("init", *ENOUGH, "--folder", tmp_path, "--bot", "warden", "--bind", "[::1]:8911")
    settings, path = load_settings(tmp_path / "comity.toml"), tmp_path / "comity-registration.yaml"
    found = registered(path)

    assert settings.matrix.hs_token
    assert found["as_token"] == settings.matrix.token.reveal()
    assert found["hs_token"] == settings.matrix.hs_token.reveal()
    assert ("warden", "http://[::1]:8911", False) == (found["sender_localpart"], found["url"], found["rate_limited"])
    assert ([], []) == (found["namespaces"]["rooms"], found["namespaces"]["aliases"])
    (users,) = found["namespaces"]["users"]
    import re  # noqa: PLC0415  only here

    ours = re.compile(users["regex"])
    assert ours.fullmatch("@warden:example.org")
    assert not ours.fullmatch("@olive:example.org")
    assert not ours.fullmatch("@warden:exampleXorg")
    assert "private conversations" in path.read_text()


def test_nobody_else_can_read_the_secrets(tmp_path: Path) -> None:
    """Settings and registration are the owner's alone; tokens are long, of chance, and never printed."""
    done = run("init", *ENOUGH, "--folder", tmp_path)
    settings = load_settings(tmp_path / "comity.toml")
    tokens = [t.reveal() for t in (settings.matrix.token, settings.matrix.hs_token) if t]

    assert {0o600} == {rights(tmp_path / "comity.toml"), rights(tmp_path / "comity-registration.yaml")}
    assert all(len(t) >= 43 for t in tokens)
    assert not any(t in done.output for t in tokens)
    run("init", *ENOUGH, "--folder", tmp_path / "other")
    assert load_settings(tmp_path / "other" / "comity.toml").matrix.token.reveal() not in tokens


def test_nothing_is_overwritten_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Settings that are there stay, and nothing new lies beside them; --force renews them, but never a charter."""
    run("init", *ENOUGH, "--folder", tmp_path, "--name", "Tea Garden")
    before = {p.name: p.read_text() for p in tmp_path.iterdir()}
    again = run("init", *ENOUGH, "--folder", tmp_path)
    assert again.exit_code == 1
    assert "--force" in again.output
    assert before == {p.name: p.read_text() for p in tmp_path.iterdir()}

    assert 0 == run("init", *ENOUGH, "--folder", tmp_path, "--name", "Attic", "--force").exit_code
    after = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert set(before) == set(after)
    assert before["charter.toml"] == after["charter.toml"]
    assert before["comity.toml"] != after["comity.toml"]
    assert registered(tmp_path / "comity-registration.yaml")["as_token"] in after["comity.toml"]


def test_a_registration_that_is_there_leaves_no_new_settings(tmp_path: Path) -> None:
    """All or nothing: one file in the way, and neither settings nor charter are written."""
    (tmp_path / "comity-registration.yaml").write_text("id: other\n")
    done = run("init", *ENOUGH, "--folder", tmp_path)

    assert done.exit_code == 1
    assert ["comity-registration.yaml"] == [p.name for p in tmp_path.iterdir()]
    assert "id: other\n" == (tmp_path / "comity-registration.yaml").read_text()


@pytest.mark.parametrize("force", [False, True])
def test_files_are_written_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, force: bool
) -> None:
    """If the disk fails at the second of two files, the first is as it was before, and nothing else is left."""
    one, two = tmp_path / "one", tmp_path / "two"
    if force:
        one.write_text("old one")
        two.write_text("old two")
    before = {p.name: p.read_text() for p in tmp_path.iterdir()}
    placed = os.link

    def link(source: Any, target: Any, **how: Any) -> None:  # noqa: ANN401  as os.link
        if Path(target).name.strip(".").startswith("two"):
            raise OSError(28, "No space left on device", str(target))
        placed(source, target, **how)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(ComityError, match=r"No space left on device; nothing was written"):
        write_together([NewFile(one, "new one"), NewFile(two, "new two")], force=force)

    assert before == {p.name: p.read_text() for p in tmp_path.iterdir()}


def test_what_is_asked_is_held_to_what_can_be(tmp_path: Path) -> None:
    """Each answer is checked when it is given, told what is expected, and asked for again."""
    words = ["Tea Garden", "apservice", "", "exa mple", "example.org", "", "Warden", "warden", "@olive:example.org", ""]
    done = CliRunner().invoke(comity, ["init", "--folder", str(tmp_path)], input="\n".join(words) + "\n")

    assert done.exit_code == 0, done.output
    assert "there is no mode 'apservice'; expected appservice" in done.output
    assert "'@comity:exa mple' is no user id" in done.output
    assert "@warden:example.org" == load_settings(tmp_path / "comity.toml").matrix.user


def test_asked_questions_that_nobody_answers_write_nothing(tmp_path: Path) -> None:
    """Ctrl-D at any question leaves the folder as it was."""
    done = CliRunner().invoke(comity, ["init", "--folder", str(tmp_path / "new")], input="Tea Garden\n\n")

    assert done.exit_code != 0
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--yes", "--inviter", "@olive:example.org"], "--server-name is missing"),
        (["--yes", "--server-name", "example.org"], "--inviter is missing"),
        ([*ENOUGH, "--bind", "8910"], "'8910' is nothing to listen on"),
        ([*ENOUGH, "--room", "garden"], "'garden' does not fit rooms; expected !id or #alias:example.org"),
        ([*ENOUGH, "--name", "Tea\x07"], "control characters"),
        ([*ENOUGH, "--id", "Tea Garden"], "'Tea Garden' does not fit id"),
        ([*ENOUGH, "--access-token", "file:x"], "is of mode sync"),
        ([*ENOUGH, "--mode", "sync"], "--access-token is missing"),
        ([*ENOUGH, "--mode", "sync", "--access-token", "teapot"], "can be read by others"),
    ],
)
def test_what_is_missing_or_wrong_is_told_and_nothing_is_written(tmp_path: Path, words: list[str], told: str) -> None:
    """Unattended, each mistake names what is expected."""
    done = run("init", *words, "--folder", tmp_path / "new")

    assert done.exit_code == 1
    assert told in done.output
    assert "teapot" not in done.output
    assert not (tmp_path / "new").exists()


def test_who_does_not_run_the_homeserver_needs_no_registration(tmp_path: Path) -> None:
    """Mode sync: one access token, from a file or the environment, and no registration file."""
    words = ("--mode", "sync", "--access-token", "env:COMITY_TOKEN")
    assert 0 == run("init", *ENOUGH, *words, "--folder", tmp_path).exit_code
    settings = load_settings(tmp_path / "comity.toml", {"COMITY_TOKEN": "teapot"})

    assert (Mode.SYNC, "teapot") == (settings.matrix.mode, settings.matrix.token.reveal())
    assert "https://example.org" == settings.matrix.homeserver
    assert {"charter.toml", "comity.toml"} == {p.name for p in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("name", "short"),
    [("Tea Garden", "tea-garden"), ("Crème brûlée!", "creme-brulee"), ("茶", "community"), ("--a--", "a")],
)
def test_a_short_name_is_made_of_any_name(name: str, short: str) -> None:
    """Letters lose their marks, the rest becomes hyphens, and there is always a name."""
    assert short == short_id(name)
