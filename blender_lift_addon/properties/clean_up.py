# SPDX-License-Identifier: GPL-3.0-or-later
"""How a take is cleaned up: what `lifter solve` can do anew in seconds."""

import bpy

from lifter_core.declare import Place

from ..live_clean_up import changed
from .option_properties import option_properties


class LiftCleanUp(bpy.types.PropertyGroup):
    """The choices of the Clean-Up panel, one set for each take: the engine's options for it."""


LiftCleanUp.__annotations__ = option_properties(Place.CLEAN_UP, changed)

CLASSES = (LiftCleanUp,)
