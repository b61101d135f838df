"""`python -m amad`: the command line."""

import sys

from amad.cli import main

if __name__ == "__main__":
    sys.exit(main())
