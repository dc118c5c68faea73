"""The error of the embedded servers."""


class EngineError(RuntimeError):
    """A server cannot be used; the message has the end of its log."""
