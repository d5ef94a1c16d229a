"""The errors of embedded servers."""


class ServerError(Exception):
    """An embedded server cannot run here; one line says why and, where there is one, the way out."""
