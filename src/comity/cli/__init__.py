"""The command line: the one place that joins all parts. Commands are loaded when called, so that help is quick."""

import importlib
import sys
from collections.abc import Sequence

import click

from comity import __version__
from comity.core.errors import ComityError

# Name of the command: module and attribute, and the line that `comity --help` shows.
_COMMANDS = {
    "rate": ("comity.cli.rate:rate", "Rate a chat: read exports, find, keep the ledger, write the report."),
    "explain": ("comity.cli.explain:explain", "Say what a member's standing is made of, adding up exactly."),
    "reverse": ("comity.cli.reverse:reverse", "Take back an entry: its finding leaves no trace in standing."),
    "charter": ("comity.cli.charter:charter", "Write, check and compare charters."),
    "rules": ("comity.cli.rules:rules", "Show the built-in rules, the harms, and what an expression can look at."),
    "verify": ("comity.cli.verify:verify", "Check that no entry of the ledger was changed, removed or added."),
    "completion": ("comity.cli.completion:completion", "Print the completion script for bash, zsh or fish."),
}


class _Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as e:
            import difflib  # noqa: PLC0415  only where somebody has mistyped

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx) from e


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: comity rate EXPORT --report report.html",
)
@click.version_option(__version__, prog_name="comity")
def comity() -> None:
    """Conduct standing for group chats: findings, standing, and the reasons for both."""


def main(args: Sequence[str] | None = None) -> None:
    """Run a command. Errors a person can act on are told without a traceback; exit status 1."""
    try:
        comity.main(args=None if args is None else list(args), prog_name="comity")
    except ComityError as e:
        click.echo(f"comity: {e}", err=True)
        sys.exit(1)
