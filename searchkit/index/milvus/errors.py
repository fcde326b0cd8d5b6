"""What Milvus's errors mean: whether a call may succeed a moment later, and what a user can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from searchkit.core.errors import IndexBusy, StorageFailed
from searchkit.index.milvus.address import TOKEN_VARIABLE, Address

# gRPC status codes, for errors of the connection
_TRANSIENT_STATUS = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
_REFUSED_STATUS = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_RATE_LIMIT = 8  # pymilvus.exceptions.ErrorCode.RATE_LIMIT
# pymilvus and older servers raise many errors with the code of an unexpected error, so that only
# their messages tell what happened. These are of a server that is going, gone or just coming up.
_TRANSIENT_WORDS = (
    "unavailable",
    "connect",
    "timeout",
    "deadline",
    "not ready",
    "not loaded",
    "not fully loaded",
    "no available",
    "recovering",
    "not healthy",
    "not found any",
    "node not",
    "channel",
    "abnormal",
    "initializing",
    "socket",
    "serviceable",
    "offline",
    "rate limit",
    "stopping",
)
_REFUSED_WORDS = ("unauthenticated", "auth check failure", "permission deny")
_LITE_WORDS = "local milvus"  # of the errors of opening a Milvus Lite file


def is_transient(error: Exception) -> bool:
    """Whether a call that failed may succeed in a moment."""
    words = f"{type(error).__name__} {error}".lower()
    if _LITE_WORDS in words or _is_refused(error):
        return False
    return (
        _status(error) in _TRANSIENT_STATUS
        or getattr(error, "code", None) == _RATE_LIMIT
        or bool(getattr(error, "retriable", False))
        or any(word in words for word in _TRANSIENT_WORDS)
    )


def message_of(error: Exception) -> str:
    """Return an error's message in one line, of 200 characters at most."""
    text = str(getattr(error, "message", "") or error) or type(error).__name__
    return " ".join(text.split())[:200]


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Turn the errors of pymilvus and gRPC into searchkit's."""
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError) as error:
        message = message_of(error)
        if _LITE_WORDS in message.lower():
            raise IndexBusy(
                f"{address}: can't be opened; another process has it open (Milvus Lite lets one "
                "in), or it is no file of Milvus Lite"
            ) from error
        if _is_refused(error):
            raise StorageFailed(
                f"{address}: {message}; put the token into {TOKEN_VARIABLE}"
            ) from error
        raise StorageFailed(f"{address}: {message}; nothing acknowledged is lost") from error


def _status(error: Exception) -> str:
    """Return the name of an error's gRPC status; "" for errors without one."""
    code = getattr(error, "code", None)  # a method of gRPC's errors, a number of pymilvus's
    return str(getattr(code(), "name", "")) if callable(code) else ""


def _is_refused(error: Exception) -> bool:
    words = f"{type(error).__name__} {error}".lower()
    return _status(error) in _REFUSED_STATUS or any(word in words for word in _REFUSED_WORDS)
