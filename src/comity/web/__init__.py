"""Pages: the report, the console, the member pages. They show what was decided and decide nothing."""
