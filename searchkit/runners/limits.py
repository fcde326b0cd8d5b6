"""Limits of the process within which libraries of compiled code would crash."""

from __future__ import annotations

import sys

from searchkit.core.errors import SearchkitError
from searchkit.runners.cores import usable_cores


def check_address_space(purpose: str, megabytes: int, megabytes_per_core: int) -> None:
    """Check that the process may use the memory that libraries need, before they are loaded.

    Most of the address space that they reserve is never used, so that only limits of the process
    are compared, and not the machine's memory.

    Args:
        purpose: What the libraries do, for the message.
        megabytes: What they need; of 1,000,000 bytes.
        megabytes_per_core: What they need in addition for each core that the process may use.

    Raises:
        SearchkitError: if `ulimit -v` is lower, or `ulimit -d` than half of it.
    """
    if sys.platform == "win32":
        return
    import resource

    cores = usable_cores()
    space = (megabytes + megabytes_per_core * cores) * 1_000_000
    for limit_of, flag, needed in (
        (resource.RLIMIT_AS, "-v", space),
        (resource.RLIMIT_DATA, "-d", space // 2),
    ):
        limit, _ = resource.getrlimit(limit_of)
        if limit != resource.RLIM_INFINITY and limit < needed:
            raise SearchkitError(
                f"{purpose} needs {needed / 1e9:.1f} GB of address space on {cores} cores, and "
                f"this process may use {limit / 1e9:.1f} GB; raise the limit: "
                f"ulimit {flag} {needed // 1_000}"
            )


def check_open_files(needed: int) -> None:
    """Check that the process may have so many files open.

    Raises:
        SearchkitError: if `ulimit -n` is lower.
    """
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise SearchkitError(
            f"every command needs {needed} open files, and this process may have {limit}; raise "
            "the limit: ulimit -n 1024"
        )
