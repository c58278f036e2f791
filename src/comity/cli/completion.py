"""``comity completion``: the script that lets a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class


@click.command(
    epilog="""\b
Examples:
  comity completion bash >> ~/.bashrc
  comity completion zsh  >> ~/.zshrc
  comity completion fish > ~/.config/fish/completions/comity.fish"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell."""
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"there is no completion for {shell}")
    from comity.cli import comity  # noqa: PLC0415  this module is loaded by that one

    click.echo(made(comity, {}, "comity", "_COMITY_COMPLETE").source())
