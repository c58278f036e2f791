"""``python -m comity``: the same as the command ``comity``."""

from comity.cli import main

if __name__ == "__main__":
    main()
