"""A Ray cluster of two machines on this one, in a process of its own.

Prints the port of its client server when it is ready, and ends with its standard input. The folder
of the session is RAY_TMPDIR.
"""

from __future__ import annotations

import os
import socket
import sys

CPUS = 2  # of each of the two


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main() -> None:
    from pathlib import Path

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


if __name__ == "__main__":
    main()
