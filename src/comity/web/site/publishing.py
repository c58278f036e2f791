"""Before a charter goes live: what changes, and who would be treated differently; publishing; and the versions."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from starlette.datastructures import UploadFile
from starlette.responses import Response

from comity.charter_file import CharterError
from comity.core.errors import ComityError
from comity.stores.charter_contract import Came, VersionRow
from comity.web.site import charter
from comity.web.site.charter import Checked, Draft, adopts, checked, draft_of
from comity.web.site.comparing import SHOWN, Comparison, Work, new_folder, rules_log
from comity.web.site.context import Context, Toast

_PAGE: Final = 20
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_AROUND: Final = 2  # lines around a difference


class Piece(NamedTuple):
    """A line of a difference. kind: "added", "removed", "same", or "gap" between two places."""

    kind: str
    text: str


def differences(old: str, new: str) -> list[Piece]:
    """What differs between two texts, line by line."""
    kinds = {"+": "added", "-": "removed", " ": "same", "@": "gap"}
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=_AROUND, lineterm=""))[2:]
    found = [Piece(kinds[line[0]], "" if line[0] == "@" else line[1:]) for line in lines]
    return found[1:] if found and found[0].kind == "gap" else found


# Review and publish.


async def review(context: Context) -> Response:
    """Everything a draft changes, before it is published or proposed."""
    return await _review(context)


async def _review(context: Context, problem: str = "", reason: str = "") -> Response:
    draft = await draft_of(context)
    row = draft.adopted.row
    return context.render(
        "charter_review.html",
        400 if problem else 200,
        draft=draft,
        checked=await checked(draft),
        pieces=differences(row.text if row else "", draft.text),
        compared=next((c for c in context.site.comparisons.of(context.community) if c.result), None),
        adopts=adopts(context),
        problem=problem,
        reason=reason,
    )


async def publish(context: Context) -> Response:
    """Put one's draft in force."""
    draft, reason = await draft_of(context), context.given("reason")
    proposed = context.given("proposal", 15)
    try:
        row = await context.office.publish(context.community, draft.text, context.who, reason, base=draft.base)
    except CharterError:
        return await _review(context, context.t("charter mistakes first"), reason)
    except ComityError as error:
        return await _review(context, str(error), reason)
    charters, by = context.site.store.charters, context.person.name
    with context.site.store.write():
        charters.drop_draft(context.community, by)
        for each in charters.proposals(context.community):
            if each.came is Came.OPEN and (each.text == draft.text or str(each.number) == proposed):
                answer = context.t("charter published as", number=row.number)
                charters.close_proposal(
                    context.community, each.number, Came.PUBLISHED, by=by, answer=answer, at=context.at
                )
    context.site.live.publish(context.community, "charter", str(row.number))
    return context.done(
        context.url("charter-version", number=row.number), context.t("charter is live", number=row.number)
    )


async def shadow(context: Context) -> Response:
    """Let a clause only find, or find and count again."""
    on, reason, id_ = context.given("do") == "shadow", context.given("reason"), context.given("clause", 100)
    back = context.url("precision")
    if not reason:
        return context.done(back, Toast(context.t("charter say why"), good=False))
    try:
        await context.office.shadow(context.community, id_, context.who, on=on, reason=reason)
    except ComityError as error:
        return context.done(back, Toast(str(error), good=False))
    context.site.live.publish(context.community, "charter", "")
    return context.done(back, context.t("clause in shadow" if on else "clause counts", id=id_))


# Compare.


async def compare(context: Context) -> Response:
    """Over which log to compare; and begin."""
    if context.request.method == "POST":
        return await _begin(context)
    return await _compare(context)


async def _compare(context: Context, problem: str = "") -> Response:
    draft = await draft_of(context)
    days = context.site.log_of_days.days if context.site.log_of_days else 0
    return context.render(
        "charter_compare.html",
        400 if problem else 200,
        draft=draft,
        checked=await checked(draft),
        all=context.site.comparisons.of(context.community),
        days=days,
        problem=problem,
    )


async def _begin(context: Context) -> Response:
    draft = await draft_of(context)
    found = await checked(draft)
    if found.charter is None:
        return await _compare(context, context.t("charter mistakes first"))
    folder = new_folder()
    name, logs = await _logs(context, folder)
    if not logs:
        return await _compare(context, context.t("compare no log"))
    try:
        made = _compared(context, draft, found, name, folder=folder, logs=logs)
    except ComityError:
        return await _compare(context, context.t("compare under way"))
    return context.go(context.url("charter-comparison", number=made.number))


def _compared(
    context: Context, draft: Draft, found: Checked, name: str, *, folder: Path, logs: Sequence[Path]
) -> Comparison:
    row = draft.adopted.row
    old, new = folder / "holds.toml", folder / "draft.toml"
    old.write_text(row.text if row else "", "utf-8")
    new.write_text(found.text, "utf-8")
    work = Work(old=old, new=new, logs=tuple(logs), beside=draft.adopted.path)
    return context.site.comparisons.begin(
        context.community, context.person.name, name, context.now, work=work, folder=folder
    )


async def _logs(context: Context, folder: Path) -> tuple[str, Sequence[Path]]:
    """The log that was chosen, written into a folder: what it is called, and its files; none if there is nothing."""
    match context.given("log", 20):
        case "examples":
            return context.t("compare examples"), [rules_log(folder)]
        case "days" if context.site.log_of_days:
            name = context.t("compare days", n=context.site.log_of_days.days)
            # Nobody reads a message of it, but what it says about members is looked at: that stands with the looks.
            await context.office.look(context.community, context.who, context.t("compare"), what=name)
            return name, await context.site.log_of_days.lay_out(context.community, folder)
        case "files":
            kept = folder / "log"
            kept.mkdir()
            names: list[str] = []
            for file in context.form.getlist("files"):
                if isinstance(file, UploadFile) and file.filename and file.size:
                    # Its ending says what it is; nothing else of its name is to be trusted.
                    name = f"{len(names) + 1}-{_UNSAFE.sub('-', file.filename)[-80:]}"
                    (kept / name).write_bytes(await file.read())
                    names.append(name)
            return ", ".join(names), [kept / name for name in names]
        case _:
            return "", []


async def comparison(context: Context) -> Response:
    """One comparison: how far it is, then what it found; and its end before its time."""
    found = context.site.comparisons.one(context.community, int(context.request.path_params["number"]))
    if found is None:
        return context.not_there()
    if context.request.method == "POST":
        await context.site.comparisons.end(found)
        return context.done(context.url("charter-compare"), context.t("compare ended"))
    template = "charter_comparison_part.html" if context.partial else "charter_comparison.html"
    adopted = await context.office.charter(context.community)
    texts = {c.id: c.text for c in adopted.charter.clauses}
    return context.render(template, comparison=found, shown=SHOWN, texts=texts)


# Versions.


async def versions(context: Context) -> Response:
    """All versions, the last first."""
    community, before = context.community, context.asked("before", 15)
    start = int(before) if before.isdecimal() else None
    rows = await context.read(lambda store: store.charters.versions(community, before=start, most=_PAGE + 1))
    return context.render("charter_versions.html", rows=rows[:_PAGE], more=len(rows) > _PAGE, first=start is None)


async def version(context: Context) -> Response:
    """One version: what it changed, and its text; or begin a draft at it."""
    community, number = context.community, int(context.request.path_params["number"])
    rows = await context.read(lambda store: store.charters.versions(community, before=number + 1, most=2))
    if not rows or rows[0].number != number:
        return context.not_there()
    before: VersionRow | None = rows[1] if len(rows) > 1 else None
    if context.request.method == "POST":
        draft = await draft_of(context)
        base = draft.adopted.row.number if draft.adopted.row else 0
        charter.keep(context, draft._replace(base=base), rows[0].text)
        return context.done(context.url("charter"), context.t("charter taken"))
    pieces = differences(before.text, rows[0].text) if before else []
    return context.render("charter_version.html", row=rows[0], before=before, pieces=pieces)


PAGES: Final = {
    "charter-review": review,
    "charter-publish": publish,
    "clause-shadow": shadow,
    "charter-compare": compare,
    "charter-comparison": comparison,
    "charter-versions": versions,
    "charter-version": version,
}
