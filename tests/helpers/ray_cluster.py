"""A Ray cluster of two machines on this one, in a process of its own.

Prints the port of its client server when it is ready, and ends with its standard input. The folder
of the session is RAY_TMPDIR.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

CPUS = 2  # of each of the two


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main() -> None:
    from ray.cluster_utils import Cluster

    Path(os.environ["RAY_TMPDIR"], "ray").mkdir()
    port = free_port()
    machine = {"num_cpus": CPUS, "object_store_memory": 80_000_000}
    head = {**machine, "include_dashboard": False, "ray_client_server_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**machine)
        print(port, flush=True)
        sys.stdin.read()
    finally:
        cluster.shutdown()


# -- the tasks of workers -------------------------------------------------------------------


def die_once(marks: Path, name: str) -> None:
    """Kill this very process, as the machine would when it has no memory left; but only once."""
    mark = marks / f"died-{name}"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def mine_and_die(marks: Path, miner: Any, task: range) -> list[Any]:
    """Die before one task's work and after another's."""
    from searchkit.mining.exact import mine_tiles

    if task.start == 1:
        die_once(marks, "before")
    blocks = list(mine_tiles(miner, task))
    if task.start == 3:
        die_once(marks, "after")
    return blocks


def embed_and_die(encoder: Any, task: str) -> str:
    from searchkit.encoding.distributed import embed_block

    path = embed_block(encoder, task)
    if Path(task).name == "1":
        die_once(Path(task).parent.parent.parent, "embedding")
    return path


def threads(_: Any) -> tuple[str | None, int]:
    return os.environ.get("OMP_NUM_THREADS"), os.getpid()


def refuse(task: int) -> None:
    from searchkit.core.errors import BadInput

    raise BadInput(f"task {task} is no good")


def state() -> int:
    return 0


def with_state(_: int, task: int) -> int:
    return task


def refuse_with_state(_: int, task: int) -> None:
    refuse(task)


def always_die(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def late(task: float) -> float:
    time.sleep(task)
    return task


def another_searchkit(_: str) -> tuple[str, str]:
    return "0.0", ""


def blind(_: str) -> tuple[str, str]:
    from searchkit import __version__

    return __version__, ""


if __name__ == "__main__":
    main()
