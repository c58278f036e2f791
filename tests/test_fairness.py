"""What the fairness benchmark promises, on one small community."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))  # the scripts import one another by name, as they do when run

import chart  # noqa: E402 - found through the line above
import fairness  # noqa: E402
from population import Population, make  # noqa: E402
from schemes import SCHEMES, Rated  # noqa: E402

SEED, MEMBERS = 77, 700


@pytest.fixture(scope="module")
def people() -> Population:
    """One community; its seed is none of those the page reports."""
    assert SEED not in {*fairness.SEEDS, fairness.CALIBRATION}
    return make(SEED, MEMBERS)


@pytest.fixture(scope="module")
def figures(people: Population) -> dict[str, fairness.Figures]:
    """The figures of every scheme there."""
    found = {}
    for name, scheme in SCHEMES.items():
        rated = scheme(people)
        found[name] = fairness.figures(people, rated, fairness.calibrated(people, rated))
    return found


def test_a_seed_makes_one_community(people: Population) -> None:
    """Who repeats the benchmark sees the same people, and another seed makes others."""
    again, other = make(SEED, MEMBERS), make(SEED + 1, MEMBERS)
    assert all((getattr(people, name) == getattr(again, name)).all() for name in Population.__annotations__)
    assert people.acts.shape != other.acts.shape or (people.acts != other.acts).any()


def test_a_launderer_and_the_twin_do_the_same_deeds(people: Population) -> None:
    """Only the chatter differs, so the gain measured is the chatter's."""
    launderers, alone = people.of("launderer"), people.of("launderer alone")
    for counts in (people.acts, people.rule, people.reported):
        assert (counts[:, launderers] == counts[:, alone]).all()
    assert people.messages[launderers].sum() > 20 * people.messages[alone].sum()


def test_honest_and_brigaded_members_never_misbehave(people: Population) -> None:
    """What is found of them is wrong, and so is every day they are restricted."""
    assert people.acts[:, people.of("honest", "brigaded")].sum() == 0
    assert people.reported[:, people.of("brigaded")].sum() > 0


def test_chatter_launders_little(figures: dict[str, fairness.Figures]) -> None:
    """Hundreds of harmless messages a day let little more of the same harm through; counting messages, nearly all."""
    gain = {name: f["laundered"] - f["alone"] for name, f in figures.items()}
    assert gain["Comity"] < 0.10
    assert gain["every message a trial"] > 0.5
    assert gain["karma"] > 0.5


def test_the_innocent_fare_better_than_with_three_strikes(figures: dict[str, fairness.Figures]) -> None:
    """Fewer days restricted, also for who is reported by a crowd."""
    ours, strikes = figures["Comity"], figures["three strikes"]
    assert ours["honest"] <= strikes["honest"]
    assert ours["brigaded"] < strikes["brigaded"] / 3
    assert ours["careless"] < strikes["careless"] / 3


def test_the_reformed_are_free_sooner_than_with_three_strikes(figures: dict[str, fairness.Figures]) -> None:
    """And nobody waits longer than half a year after the last finding."""
    assert figures["Comity"]["recovery"] < figures["three strikes"]["recovery"]
    assert figures["Comity"]["recovery"] < 180


def test_standing_foretells_misconduct(figures: dict[str, fairness.Figures]) -> None:
    """Better than three strikes, and far better than karma."""
    assert figures["Comity"]["auc"] > figures["three strikes"]["auc"]
    assert figures["Comity"]["auc"] > figures["karma"]["auc"] + 0.2
    assert figures["Comity"]["brier"] < figures["three strikes"]["brier"]


def test_auc_counts_pairs_and_halves_ties() -> None:
    """Checked against counting every pair by hand."""
    rating, bad = np.array([1.0, 2.0, 2.0, 3.0, 0.5]), np.array([False, True, False, True, True])
    pairs = [(a > b) + (a == b) / 2 for a in rating[bad] for b in rating[~bad]]
    assert fairness.auc(rating, bad) == pytest.approx(np.mean(pairs))


def test_harm_is_let_through_until_the_day_after_a_restriction(people: Population) -> None:
    """Who is always restricted does harm on the first day only, who never is does all of it."""
    bad = people.of(*fairness.MISCONDUCT)
    never = Rated(np.zeros(people.messages.shape), np.zeros(people.messages.shape, dtype=bool))
    assert fairness.through(people, never, bad) == 1
    first_day = np.tensordot(np.array([1, 3, 6]), people.acts, axes=1)[bad]
    always = Rated(never.rating, ~never.restricted)
    assert fairness.through(people, always, bad) == pytest.approx(first_day[:, 0].sum() / first_day.sum())


def test_the_page_shows_every_scheme_and_figure() -> None:
    """The committed table was made by this version of the script: same rows, same columns."""
    page = (ROOT / "docs" / "fairness.md").read_text("utf-8")
    measured = page.partition(fairness.BEGIN)[2].partition(fairness.END)[0].strip().splitlines()
    assert [cell.strip() for cell in measured[0].strip("|").split("|")[1:]] == [*SCHEMES, fairness.SLOWED]
    rows = [line.split("|")[1].strip() for line in measured[2 : 2 + len(fairness.COLUMNS)]]
    assert rows == [title for title, _ in fairness.COLUMNS.values()]
    assert "communities of" in measured[-1]


def test_the_chart_names_every_dot() -> None:
    """An SVG that parses, with a dot and a name for each scheme, whatever its name."""
    drawn = ET.fromstring(chart.scatter({"a < b": (0.1, 20), "c": (0.0, 0.0)}, across="days", up="harm, %"))  # noqa: S314 - our own
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a < b", "c", "days", "harm, %"} <= set(texts)
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == 2
