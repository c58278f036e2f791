"""The command line: the one place that joins all parts. Commands are loaded when they are called: help is quick."""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from comity import __version__
from comity.cli.printing import printable
from comity.core.errors import ComityError

# Name of the command: module and attribute, and the line that `comity --help` shows.
_COMMANDS = {
    "rate": ("comity.cli.rate:rate", "Rate a chat: read exports, find, keep the ledger, write the report."),
    "explain": ("comity.cli.explain:explain", "Say what a member's standing is made of, adding up exactly."),
    "reverse": ("comity.cli.reverse:reverse", "Take back an entry: its finding leaves no trace in standing."),
    "charter": ("comity.cli.charter:charter", "Write, check and compare charters."),
    "rules": ("comity.cli.rules:rules", "Show the built-in rules, the harms, and what an expression can look at."),
    "lists": ("comity.cli.lists:lists", "Look at lists of bans, come from another bot, publish one of your own."),
    "verify": ("comity.cli.verify:verify", "Check that no entry of the ledger was changed, removed or added."),
    "store": ("comity.cli.store:store", "Move a store, back it up, and restore it."),
    "record": ("comity.cli.record:record", "Keep what is said, for a term: look, check, prove, erase."),
    "init": ("comity.cli.init:init", "Write the settings of a live Comity, from a few questions."),
    "serve": ("comity.cli.serve:serve", "Look after communities, live."),
    "rooms": ("comity.cli.rooms:rooms", "Say what can be enforced in each room, and how to mend what cannot."),
    "deputy": ("comity.cli.deputy:deputy", "Name who takes over a room when a manager is suspended."),
    "user": ("comity.cli.user:user", "Make the first people who look after a community."),
    "completion": ("comity.cli.completion:completion", "Print the completion script for bash, zsh or fish."),
}
_STOPPED = 130  # what shells give for a process that Ctrl-C ended


class _Commands(click.Group):
    """A group whose commands are imported when they are needed, and whose errors are one clear sentence."""

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

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT002  click's signature
        **extra: Any,  # noqa: ANN401  the same
    ) -> Any:  # noqa: ANN401  the same
        """Run a command. Whatever a person can act on is told without a traceback; exit status 1."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()  # a full disk or a closed pipe may show only here
        except click.ClickException as e:
            e.show()
            sys.exit(1)
        except click.Abort:
            _end("stopped. What was committed is kept; the same command goes on from there.", _STOPPED)
        except ComityError as e:
            _end(str(e))
        except OSError as e:
            if e.errno == errno.EPIPE:  # nobody reads on: nothing to say, and nobody to say it to
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)
            where = "" if e.filename is None else f"{os.fsdecode(e.filename)}: "
            _end(f"{where}{e.strerror or e}")
        sys.exit(status if isinstance(status, int) else 0)


def _end(why: str, status: int = 1) -> NoReturn:
    """Say why, safely for a terminal, and end."""
    click.echo("comity: " + "\n".join(map(printable, why.split("\n"))), err=True)
    sys.exit(status)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: comity rate EXPORT --report report.html",
)
@click.version_option(__version__, prog_name="comity")
def comity() -> None:
    """Conduct standing for group chats: findings, standing, and the reasons for both."""


def main(args: Sequence[str] | None = None) -> None:
    """Run a command and end the process: 0 all is well, 1 an error, 2 something was left out, 130 stopped."""
    comity.main(args=None if args is None else list(args), prog_name="comity")
