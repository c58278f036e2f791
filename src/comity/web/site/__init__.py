"""The console and members' pages: they ask, show and pass on, and decide nothing."""
