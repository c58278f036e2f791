"""Is standing fair? Six schemes over made-up communities of known kinds of people, on seeds no figure was chosen with.

Run ``python benchmarks/fairness.py`` (about half a minute on two cores), with ``--json`` for all figures, with
``--write`` to renew docs/fairness.md and docs/fairness.svg.
"""

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.stats import rankdata

from chart import scatter
from population import DAYS, Counts, Flags, Population, make
from schemes import SCHEMES, Rated, slowed

Floats = npt.NDArray[np.float64]
Figures = dict[str, float]

SLOWED: Final = "Comity, slow mode counted"
CALIBRATION: Final = 1000  # the seed that turns ratings into probabilities; not among those reported
SEEDS: Final = tuple(range(1, 9))
CHECKS: Final = range(180, DAYS - 30, 30)
MISCONDUCT: Final = ("careless", "abusive", "bot", "sleeper", "launderer", "reformed")
COLUMNS: Final = {
    "auc": ("AUC", "{:.3f}"),
    "brier": ("Brier", "{:.4f}"),
    "honest": ("honest members: days restricted a year", "{:.3f}"),
    "brigaded": ("brigaded members: the same", "{:.1f}"),
    "careless": ("careless members: the same", "{:.1f}"),
    "delay": ("days to restrict the abusive", "{:.1f}"),
    "missed": ("abusive never restricted", "{:.0%}"),
    "recovery": ("days until the reformed are free", "{:.0f}"),
    "through": ("harm let through", "{:.0%}"),
    "alone": ("harm let through: launderers without chatter", "{:.0%}"),
    "laundered": ("harm let through: the same with chatter", "{:.0%}"),
}
DOCS: Final = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def auc(rating: Floats, bad: Flags) -> float:
    """Chance that a member who misbehaves is rated worse than one who does not, ties half; both of shape (n,)."""
    ranks, positive = rankdata(rating), int(bad.sum())
    return float((ranks[bad].sum() - positive * (positive + 1) / 2) / (positive * (len(bad) - positive)))


def checks(people: Population) -> list[tuple[int, Flags, Flags]]:
    """Every check: day, who is seen (active in the last 90 days), who of these misbehaves in the next 30."""
    real = ~people.of("launderer alone")
    found = []
    for day in CHECKS:
        seen = real & (people.messages[:, day - 89 : day + 1] > 0).any(axis=1)
        acts: Counts = people.acts[:, seen, day + 1 : day + 31].sum(axis=(0, 2))
        found.append((day, seen, acts > 0))
    return found


def judged(people: Population, rated: Rated) -> tuple[Floats, Flags]:
    """Ratings and what came of it, over all checks."""
    looks = checks(people)
    ratings = np.concatenate([rated.rating[seen, day] for day, seen, _ in looks])
    return ratings, np.concatenate([bad for _, _, bad in looks])


def calibrated(people: Population, rated: Rated) -> tuple[Floats, Floats]:
    """Ratings in order, and the share that misbehaves at each (isotonic regression)."""
    ratings, bad = judged(people, rated)
    order = np.argsort(ratings, kind="stable")
    values, place = np.unique(ratings[order], return_inverse=True)
    share = np.bincount(place, bad[order]) / np.bincount(place)
    return values, isotonic_regression(share, weights=np.bincount(place)).x


def figures(people: Population, rated: Rated, curve: tuple[Floats, Floats]) -> Figures:
    """All figures of one scheme over one population; times in days, NaN where nobody qualifies."""
    ratings, bad = judged(people, rated)
    expected = np.interp(ratings, *curve)
    t = np.arange(DAYS)
    here = (t >= people.joined[:, None]) & (t < people.left[:, None])

    def days_a_year(kind: str) -> float:
        who = people.of(kind)
        return float(365.25 * (rated.restricted & here)[who].sum() / here[who].sum())

    delays = _delays(people, rated, people.of("abusive", "sleeper"))
    return {
        "auc": auc(ratings, bad),
        "brier": float(np.mean((expected - bad) ** 2)),
        **{kind: days_a_year(kind) for kind in ("honest", "brigaded", "careless")},
        "delay": float(np.nanmedian(delays)),
        "missed": float(np.isnan(delays).mean()),
        "recovery": _recovery(people, rated),
        "through": through(people, rated, people.of(*MISCONDUCT)),
        "alone": through(people, rated, people.of("launderer alone")),
        "laundered": through(people, rated, people.of("launderer")),
    }


def through(people: Population, rated: Rated, who: Flags) -> float:
    """Share of the harm (weights 1, 3, 6) done on days that began unrestricted."""
    harm = np.tensordot(np.array([1, 3, 6]), people.acts, axes=1)[who]
    free = ~np.pad(rated.restricted[who, :-1], ((0, 0), (1, 0)))
    return float((harm * free).sum() / harm.sum())


def _delays(people: Population, rated: Rated, who: Flags) -> Floats:
    """Days from the first act to the first restriction on or after it, NaN if it never comes, of those with an act."""
    number: Counts = people.acts[:, who].sum(axis=0)
    acts = number > 0
    some = acts.any(axis=1)
    first = acts.argmax(axis=1)
    after = rated.restricted[who] & (np.arange(DAYS) >= first[:, None])
    return np.where(after.any(axis=1), after.argmax(axis=1) - first, np.nan)[some]


def _recovery(people: Population, rated: Rated) -> float:
    """Median days from a reformed member's last act until free, of those restricted on that day, if it is seen."""
    found = []
    for member in np.flatnonzero(people.of("reformed")):
        days = np.flatnonzero(people.acts[:, member].sum(axis=0))
        if len(days) and rated.restricted[member, days[-1]]:
            free = np.flatnonzero(~rated.restricted[member, days[-1] :])
            found.append(free[0] if len(free) else DAYS - days[-1])
    return float(np.median(found)) if found else float("nan")


def one_seed(seed: int, members: int, curves: Mapping[str, tuple[Floats, Floats]]) -> dict[str, Figures]:
    """Figures of every scheme over one population."""
    people = make(seed, members)
    found = {name: figures(people, scheme(people), curves[name]) for name, scheme in SCHEMES.items()}
    return found | {SLOWED: figures(people, slowed(people), curves["Comity"])}


def run(seeds: Sequence[int], members: int, *, workers: int = 2) -> dict[str, dict[str, list[float]]]:
    """Figures by scheme and column, one for each seed; progress goes to standard error."""
    people = make(CALIBRATION, members)
    curves = {name: calibrated(people, scheme(people)) for name, scheme in SCHEMES.items()}
    found: list[dict[str, Figures]] = []
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for each in pool.map(one_seed, seeds, [members] * len(seeds), [curves] * len(seeds)):
            found.append(each)
            print(f"\rseed {len(found)} of {len(seeds)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {name: {column: [one[name][column] for one in found] for column in COLUMNS} for name in [*SCHEMES, SLOWED]}


def machine() -> str:
    """What this ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"


def table(found: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Mean and range over the seeds as a Markdown table, a row for each figure."""
    lines = ["| | " + " | ".join(found) + " |", "| --- |" + " ---: |" * len(found)]
    for column, (title, form) in COLUMNS.items():
        cells = []
        for scheme in found.values():
            values = np.array(scheme[column])
            low, high = form.format(np.nanmin(values)), form.format(np.nanmax(values))
            cells.append(f"**{form.format(np.nanmean(values))}** ({low} to {high})")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and if asked renew the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--members", type=int, default=3000, help="members of each community (default: 3000)")
    options.add_argument("--seeds", type=int, default=len(SEEDS), help="how many communities (default: 8)")
    options.add_argument("--json", action="store_true", help="print all figures as JSON")
    options.add_argument("--write", action="store_true", help="renew docs/fairness.md and docs/fairness.svg")
    chosen = options.parse_args()
    began = time.perf_counter()
    found = run(range(1, chosen.seeds + 1), chosen.members)
    said = f"{chosen.seeds} communities of {chosen.members} members over {DAYS} days; {machine()}; "
    said += f"{time.perf_counter() - began:.0f} s."
    if chosen.json:
        print(json.dumps({"run": said, "figures": found}, indent=1))
    else:
        print(table(found), said, sep="\n\n")
    if chosen.write:
        page = (DOCS / "fairness.md").read_text("utf-8")
        head, _, rest = page.partition(BEGIN)
        (DOCS / "fairness.md").write_text(
            f"{head}{BEGIN}\n{table(found)}\n\n{said}\n{END}{rest.partition(END)[2]}", "utf-8"
        )
        means = {n: (float(np.mean(f["brigaded"])), 100 * float(np.mean(f["through"]))) for n, f in found.items()}
        (DOCS / "fairness.svg").write_text(
            scatter(means, across="days a year restricted, members reported by a crowd", up="harm let through, %"),
            "utf-8",
        )


if __name__ == "__main__":
    main()
