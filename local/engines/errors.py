"""The error of the embedded servers."""


class EngineError(RuntimeError):
    """A server does not start, respond or stop; the message has the last lines of its log."""
