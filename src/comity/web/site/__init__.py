"""The console and members' pages: they ask, show and pass on, and decide nothing."""

from comity.web.site.app import Site

__all__ = ["Site"]
