# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user can do."""

from . import cache, clip, drop, lift, log, person, presets, status_bar, takes

CLASSES = (
    *cache.CLASSES,
    *clip.CLASSES,
    *drop.CLASSES,
    *lift.CLASSES,
    *log.CLASSES,
    *person.CLASSES,
    *presets.CLASSES,
    *takes.CLASSES,
    *status_bar.CLASSES,
)


def register() -> None:
    """Binds the keys and lists the presets."""
    lift.register_keys()
    presets.register_folder()


def unregister() -> None:
    """Undoes it."""
    presets.unregister_folder()
    lift.unregister_keys()
