"""An end that the person at the terminal can do something about."""


class CommandFailed(Exception):
    """The command cannot go on; its text is the sentence to print, without a traceback."""
