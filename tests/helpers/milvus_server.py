"""A real Milvus for the tests: the standalone server of the package `milvus`.

As a program, run by a Python that has that package (it needs an old setuptools, so it has an
environment of its own): start the server on a folder, print its process id, and wait for its end.
It listens on all interfaces: `make test-milvus` runs it, and the tests, in a network of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

PORT = 19530
VARIABLE = "SEARCHKIT_MILVUS_PYTHON"


class Server:
    """A server that can be killed and started again on the same data."""

    address = f"http://127.0.0.1:{PORT}"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        command = [os.environ[VARIABLE], __file__, str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.pid = int(self.process.stdout.readline())

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def serve(folder: str) -> None:
    from milvus import MilvusServer

    server = MilvusServer()
    server.config.update(data_dir=folder, proxy_port=PORT)
    server.start()  # returns when it is healthy
    print(server.server_proc.pid, flush=True)
    server.server_proc.wait()


if __name__ == "__main__":
    serve(sys.argv[1])
