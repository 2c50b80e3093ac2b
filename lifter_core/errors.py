"""The errors a user can act on, each with the exit code the command line ends with."""


class LiftError(Exception):
    """One sentence for the user: what is wrong and what to do about it."""

    exit_code = 1


class BadInputError(LiftError):
    """The clip, take or option cannot be used (missing, empty, not a video, out of range)."""

    exit_code = 2


class NobodyFoundError(LiftError):
    """The clip was read, but no person was found in it."""

    exit_code = 3
