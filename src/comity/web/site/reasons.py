"""Templates of reasons: a text by language, with what a member must be told in it."""

import re
from typing import Final

from starlette.responses import Response

from comity.core.errors import ComityError, StoreError
from comity.core.templates import KNOWN, LONGEST, Template, mistakes, placeholders
from comity.web.site.context import Context
from comity.web.site.texts import LANGUAGES

_WHERE: Final = {"name": re.compile(r"is no name;"), "language": re.compile(r"is no language;")}


async def templates(context: Context) -> Response:
    """All templates, and one to write."""
    asked = context.asked("name", 40), context.asked("language", 20)
    found = await context.read(lambda store: store.process.templates(context.community))
    template = next((t for t in found if (t.name, t.language) == asked), None) or Template("", context.language, "")
    if context.request.method == "POST":
        return await _save(context, found)
    return _page(context, found, template)


async def _save(context: Context, found: list[Template]) -> Response:
    template = _of(context)
    wrong = problems(template)
    if not wrong:
        try:
            await context.office.save_template(context.community, template, context.who)
        except StoreError:
            raise
        except ComityError as error:
            wrong = {"text": [str(error)]}
    if wrong:
        return _page(context, found, template, wrong)
    return context.done(context.url("templates"), context.t("template saved", name=template.name))


async def check(context: Context) -> Response:
    """What is wrong with a template as it stands, and how it would read."""
    template = _of(context)
    return context.render("template_check.html", wrong=problems(template), sample=sample(context, template))


def _page(
    context: Context, found: list[Template], template: Template, wrong: dict[str, list[str]] | None = None
) -> Response:
    search = context.asked("q").casefold()
    return context.render(
        "templates.html",
        400 if wrong else 200,
        rows=[t for t in found if search in t.name.casefold() or search in t.text.casefold()],
        search=context.asked("q"),
        template=template,
        wrong=wrong or {},
        sample=sample(context, template),
        known=sorted(KNOWN),
        languages=LANGUAGES,
        most=LONGEST,
    )


def _of(context: Context) -> Template:
    required = tuple(name for name in sorted(KNOWN) if context.given(f"needs-{name}"))
    return Template(context.given("name", 60), context.given("language", 40), context.given("text", 4000), required)


def problems(template: Template) -> dict[str, list[str]]:
    """What is wrong, by the field it is in."""
    found: dict[str, list[str]] = {}
    for mistake in mistakes(template):
        field = next((name for name, is_it in _WHERE.items() if is_it.search(mistake)), "text")
        found.setdefault(field, []).append(mistake)
    return found


def sample(context: Context, template: Template) -> str:
    """How it would read, with made-up values; "" where it cannot be read."""
    try:
        names = placeholders(template.text)
    except ValueError:
        return ""
    if not names <= KNOWN:
        return ""
    return template.text.format_map({name: context.t(f"sample {name}") for name in names})


PAGES: Final = {"templates": templates, "template-check": check}
