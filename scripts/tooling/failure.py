"""An end that the person at the terminal can do something about."""


class CommandFailed(Exception):  # noqa: N818 (named for what happened, like the registry's own errors)
    """The command cannot go on; its text is the sentence to print, without a traceback."""
