"""What a command refuses to do, said in one line."""


class CommandError(Exception):
    """One line: what is wrong, where, and what to do. It never holds a person's name or address."""

    exit_code = 1


class UsageError(CommandError):
    """The command line itself asks for something that does not exist."""

    exit_code = 2


class InterruptedCommandError(CommandError):
    """Ctrl-C where the person must be told what goes on, or what to type later."""

    exit_code = 130
