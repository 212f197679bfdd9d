"""``python -m nncli``."""

import sys

from nncli.cli import main

sys.exit(main())
