"""``python -m lifter_core`` is the command ``lifter``."""

import sys

from .cli import main

sys.exit(main())
