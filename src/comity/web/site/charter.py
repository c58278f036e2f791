"""The charter's editor: what somebody writes, its mistakes where they are, and what it would find."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import Response

from comity.charter_edit import raw_clauses, with_clause
from comity.charter_file import CharterError, parse_charter
from comity.core.access import May
from comity.core.charter import BY_A_PERSON, OF_THE_HOUSE, SEVERITIES, Charter, Clause, Measure, State
from comity.core.charter_changes import Change, changes
from comity.core.errors import ComityError, SourceError
from comity.rules import ParameterSpec, Rule, built_in
from comity.stores.charter_contract import Came, ProposalRow
from comity.web.site import trying
from comity.web.site.context import Context, Toast

if TYPE_CHECKING:
    from comity.runner.adopting import Adopted

MOST: Final = 400_000  # characters of a charter
_SHOWN: Final = 100  # mistakes


class Checked(NamedTuple):
    """A text as the check sees it. charter: None with mistakes; raw: its clauses as they are written."""

    text: str
    charter: Charter | None
    mistakes: tuple[SourceError, ...]
    raw: Sequence[Mapping[str, Any]]
    told: tuple[Change, ...]


class Draft(NamedTuple):
    """What somebody is working on. mine: it is kept as theirs; base: the version it began at; stale: that is over."""

    adopted: "Adopted"
    text: str
    base: int
    mine: bool

    @property
    def stale(self) -> bool:
        """Whether another version came in force since it was begun."""
        return self.adopted.row is not None and self.base != self.adopted.row.number


class Figure(NamedTuple):
    """A parameter in a clause's form. value: as it is written, "" where the rule's own figure holds."""

    name: str
    value: str
    kind: str
    own: str
    unit: str
    least: str
    most: str
    doc: str


async def draft_of(context: Context) -> Draft:
    """What whoever asks is working on: their draft, or the charter that holds."""
    adopted = await context.office.charter(context.community)
    kept = context.site.store.charters.draft(context.community, context.person.name)
    if kept is not None:
        return Draft(adopted, kept.text, kept.base, mine=True)
    row = adopted.row
    return Draft(adopted, row.text if row else "", row.number if row else 0, mine=False)


async def checked(draft: Draft) -> Checked:
    """Check a draft, in another thread: patterns are tried, and lists read."""
    return await asyncio.to_thread(_check, draft.text, draft.adopted.path, draft.adopted.charter)


def _check(text: str, path: Path, holds: Charter) -> Checked:
    raw = raw_clauses(text)
    try:
        charter = parse_charter(text, path)
    except CharterError as error:
        folder = str(path.parent)
        mistakes = tuple(
            SourceError("", m.what.replace(f"{folder}/", ""), line=m.line, column=m.column, expected=m.expected)
            for m in error.mistakes
        )
        return Checked(text, None, mistakes[:_SHOWN], raw, ())
    return Checked(text, charter, (), raw, changes(holds, charter))


async def editor(context: Context) -> Response:
    """The whole text, with its mistakes, its clauses, and what is proposed."""
    draft = await draft_of(context)
    community = context.community
    rows = await context.read(lambda store: store.charters.proposals(community))
    waiting = [row for row in rows if row.came is Came.OPEN]
    return context.render("charter.html", draft=draft, checked=await checked(draft), proposals=waiting)


async def save(context: Context) -> Response:
    """Keep what is being written, right or not, and say what is wrong with it."""
    draft = await draft_of(context)
    text = written(context, "text", draft.text)
    keep(context, draft, text)
    if not context.partial:
        return context.go(context.url("charter"))
    draft = await draft_of(context)
    return context.render("charter_checked.html", draft=draft, checked=await checked(draft))


async def discard(context: Context) -> Response:
    """Forget one's own draft."""
    context.site.store.charters.drop_draft(context.community, context.person.name)
    return context.done(context.url("charter"), context.t("charter discarded"))


def written(context: Context, name: str, otherwise: str) -> str:
    """A text of the form as TOML has it: line feeds only."""
    value = context.form.get(name)
    text = value[:MOST] if isinstance(value, str) else otherwise
    return text.replace("\r\n", "\n").replace("\r", "\n")


def keep(context: Context, draft: Draft, text: str) -> None:
    """Keep a text as the draft of whoever asks; one that is what holds needs no draft."""
    store, by = context.site.store.charters, context.person.name
    row = draft.adopted.row
    if row is not None and text == row.text:
        store.drop_draft(context.community, by)
    else:
        store.save_draft(context.community, by, text, draft.base, context.at)


# One clause.


async def clause(context: Context) -> Response:
    """One clause as a form, with its rule's examples; and the change of it."""
    draft, place = await draft_of(context), int(context.request.path_params["place"])
    raw = raw_clauses(draft.text)
    if place >= len(raw):
        return context.not_there()
    if context.request.method == "POST":
        return _change(context, draft, place, raw[place])
    return await _clause(context, draft, place)


async def _clause(context: Context, draft: Draft, place: int) -> Response:
    found = await checked(draft)
    raw = found.raw[place]
    rule = built_in().get(str(raw.get("rule", "")))
    parsed = _same(found.charter, place)
    tried: list[trying.Tried] = []
    problem = ""
    if found.charter is not None and parsed is not None and rule is not None:
        try:
            tried = await asyncio.to_thread(trying.examples, found.charter, parsed)
        except ComityError as error:
            problem = str(error)
    return context.render(
        "charter_clause.html",
        draft=draft,
        checked=found,
        place=place,
        raw=raw,
        rule=rule,
        clause=parsed,
        figures=_figures(raw, rule),
        severities=list(SEVERITIES),
        states=[str(s) for s in State],
        measures=list(Measure),
        by_a_person=BY_A_PERSON,
        of_the_house=OF_THE_HOUSE,
        house=rule is None and raw.get("harm", "house") == "house",
        tried=tried,
        problem=problem,
        in_shadow=str(raw.get("id", "")) in draft.adopted.shadows,
    )


def _change(context: Context, draft: Draft, place: int, raw: Mapping[str, Any]) -> Response:
    """Write what the form says into the text."""
    given = {name: context.given(name) for name in ("severity", "state")}
    measures = [m for m in context.form.getlist("measures") if isinstance(m, str)]
    fields: dict[str, Any] = {
        "text": " ".join(context.given("text").split()),
        "measures": measures or None,
        **{name: value or None for name, value in given.items()},
    }
    rule = built_in().get(str(raw.get("rule", "")))
    parameters = {f.name: _value(written(context, f"p.{f.name}", ""), f) for f in _figures(raw, rule)}
    # What a charter leaves out stays left out as long as it is what that means.
    for name, otherwise in (("severity", "minor"), ("state", "live")):
        if name not in raw and fields[name] == otherwise:
            fields[name] = None
    try:
        text = with_clause(draft.text, place, fields, parameters)
    except LookupError:
        return context.not_there()
    keep(context, draft, text)
    return context.done(context.url("charter-clause", place=place), context.t("charter kept"))


def _figures(raw: Mapping[str, Any], rule: Rule | None) -> list[Figure]:
    given = raw.get("parameters", {})
    given = given if isinstance(given, Mapping) else {}
    if rule is None:
        return [_figure(name, value, ParameterSpec(default=value)) for name, value in given.items()]
    return [_figure(name, given.get(name), spec) for name, spec in rule.parameters.items()]


def _figure(name: str, value: object, spec: ParameterSpec) -> Figure:
    default = spec.default
    kind = {bool: "truth", int: "number", float: "number", list: "list"}.get(type(default), "text")
    return Figure(
        name=name,
        value="" if value is None else _shown(value),
        kind=kind,
        own=_shown(default),
        unit=spec.unit,
        least="" if spec.least is None else str(spec.least),
        most="" if spec.most is None else str(spec.most),
        doc=spec.doc,
    )


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "\n".join(map(str, value))
        case _:
            return str(value)


def _value(text: str, figure: Figure) -> object:
    """What somebody wrote, as TOML would hold it; what fits nothing stays a text, and the check says what is wrong."""
    text = text.strip()
    if not text:
        return None
    match figure.kind:
        case "truth":
            return text == "true" if text in {"true", "false"} else text
        case "list":
            return text if text.startswith("file:") else [line.strip() for line in text.split("\n") if line.strip()]
        case "number":
            for number in (int, float):
                try:
                    return number(text)
                except ValueError:
                    continue
            return text
        case _:
            return text


def _same(charter: Charter | None, place: int) -> Clause | None:
    return charter.clauses[place] if charter is not None and place < len(charter.clauses) else None


# Trying.


async def attempt(context: Context) -> Response:
    """What the draft, or one clause of it, would find in lines that somebody types."""
    draft = await draft_of(context)
    found = await checked(draft)
    text, id_ = written(context, "line", "")[:20_000], context.given("clause", 100) or context.asked("clause")
    hits: list[trying.Hit] | None = None
    problem = context.t("charter mistakes first") if found.charter is None else ""
    if found.charter is not None and text.strip():
        try:
            hits = await asyncio.to_thread(trying.typed, found.charter, text, clause_id=id_)
        except ComityError as error:
            problem = str(error)
    return context.render(
        "charter_try.html", draft=draft, checked=found, line=text, clause_id=id_, hits=hits, problem=problem
    )


# Proposals.


async def propose(context: Context) -> Response:
    """Propose one's draft to those who may publish."""
    draft, note = await draft_of(context), context.given("reason")
    found = await checked(draft)
    if not draft.mine or found.charter is None or not note:
        return context.done(context.url("charter-review"), Toast(context.t("charter not proposed"), good=False))
    charters = context.site.store.charters
    with context.site.store.write():
        number = charters.add_proposal(
            context.community, context.person.name, note, base=draft.base, text=draft.text, at=context.at
        )
        charters.drop_draft(context.community, context.person.name)
    context.site.live.publish(context.community, "charter", str(number))
    return context.done(context.url("charter-proposal", number=number), context.t("charter proposed"))


async def proposal(context: Context) -> Response:
    """One proposal: what it changes; it can be taken over, taken back by whoever made it, and declined."""
    row = await _proposal(context)
    if row is None:
        return context.not_there()
    if context.request.method == "POST":
        return await _answer(context, row)
    return await _shown_proposal(context, row)


async def _shown_proposal(context: Context, row: ProposalRow, problem: str = "") -> Response:
    adopted = await context.office.charter(context.community)
    draft = Draft(adopted, row.text, row.base, mine=False)
    return context.render(
        "charter_proposal.html",
        400 if problem else 200,
        row=row,
        draft=draft,
        checked=await checked(draft),
        problem=problem,
    )


async def _proposal(context: Context) -> ProposalRow | None:
    community, number = context.community, int(context.request.path_params["number"])
    return await context.read(lambda store: store.charters.proposal(community, number))


async def _answer(context: Context, row: ProposalRow) -> Response:
    do, charters = context.given("do"), context.site.store.charters
    mine = row.by == context.person.name
    if do == "take":
        charters.save_draft(context.community, context.person.name, row.text, row.base, context.at)
        return context.done(context.url("charter"), context.t("charter taken"))
    came = Came.WITHDRAWN if mine and do == "withdraw" else Came.DECLINED
    if came is Came.DECLINED and (do != "decline" or not adopts(context)):
        return context.not_there()
    answer = context.given("answer")
    if came is Came.DECLINED and not answer:
        return await _shown_proposal(context, row, context.t("charter decline why"))
    done = charters.close_proposal(
        context.community, row.number, came, by=context.person.name, answer=answer, at=context.at
    )
    key = f"charter {came}" if done else "charter answered"
    return context.done(context.url("charter"), Toast(context.t(key), good=done))


def adopts(context: Context) -> bool:
    """Whether whoever asks may put a charter in force."""
    return context.may(May.ADOPT)


PAGES: Final = {
    "charter": editor,
    "charter-draft": save,
    "charter-discard": discard,
    "charter-clause": clause,
    "charter-try": attempt,
    "charter-propose": propose,
    "charter-proposal": proposal,
}
