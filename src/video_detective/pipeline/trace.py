"""What a log line belongs to: the request or job at work in this task or thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_REQUEST: ContextVar[str] = ContextVar("request_id", default="")
_JOB: ContextVar[str] = ContextVar("job_id", default="")


def request_id() -> str:
    """Of the request at work, or of the one that began the job at work; "" for none."""
    return _REQUEST.get()


def job_id() -> str:
    """Of the job at work; "" for none."""
    return _JOB.get()


@contextmanager
def traced(*, request: str = "", job: str = "") -> Iterator[None]:
    """Let every log line of the block say what it belongs to.

    Args:
        request: Request id, that of the request that began the job for jobs; "": as around.
        job: Job id; "": as around.
    """
    tokens = [
        (variable, variable.set(value))
        for variable, value in ((_REQUEST, request), (_JOB, job))
        if value
    ]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)
