"""The only loop: read, turn, commit, carry out, tell."""

from comity.runner.service import Runner

__all__ = ["Runner"]
