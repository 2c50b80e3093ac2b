# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user can do."""

from . import clip, lift, log

CLASSES = (*clip.CLASSES, *lift.CLASSES, *log.CLASSES)


def register() -> None:
    """Binds the keys."""
    lift.register_keys()


def unregister() -> None:
    """Frees them."""
    lift.unregister_keys()
