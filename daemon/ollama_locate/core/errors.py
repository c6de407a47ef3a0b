"""Mistakes of the person who runs the program. What a peer does wrong is an outcome, never an exception."""


class OperatorError(Exception):
    """Says in one line what is wrong, where, and what to do. The program ends with exit code 1."""


class UsageError(OperatorError):
    """Words that do not belong together, each of which argparse understands. The program ends with exit code 2."""


class ConfigError(OperatorError):
    """The configuration cannot be used; names the file and the line."""


class StateFolderError(OperatorError):
    """The state folder or a file in it cannot be used: owner, permissions, kind, space."""


class LockedError(StateFolderError):
    """Another daemon serves the state folder."""
