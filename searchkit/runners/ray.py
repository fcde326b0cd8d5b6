"""The runner on Ray: tasks and actors on all cores of a machine or of a cluster.

The only module that imports Ray. Arrays go through files, never through Ray's object store.
"""

from __future__ import annotations

import gc
import itertools
import logging
import os
import tempfile
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from searchkit._version import __version__
from searchkit.core.errors import MissingExtra, RunnerFailed, first_line
from searchkit.core.messages import Message
from searchkit.runners.base import Pool
from searchkit.runners.packing import Packed, pack

log = logging.getLogger("searchkit")
Result = TypeVar("Result")
Start = Callable[[Packed, Path], Any]  # a task and the file for the arrays of its result
RETRIES = 5  # of a task whose worker died, and restarts of an actor
CONNECTION_ATTEMPTS = 3  # a cluster starts a process for each client, which may fail to start
PATIENCE_SECONDS = 60.0  # without a finished task, after which a warning says so
OBJECT_STORE_BYTES = 80_000_000  # of Ray on this machine: it holds nothing but pickles
# A worker is one core: libraries must use no other, nor a GPU that it wasn't given.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
}


class RayRunner:
    """Runs tasks on Ray's workers; see `Runner`."""

    def __init__(
        self,
        folder: Path,
        cpus: int,
        gpus: int = 0,
        patience: float = PATIENCE_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        self.is_local = False
        self.folder: Path | None = folder
        self.workers = max(1, cpus - 1)  # one core stays free for the rest of the cluster's work
        self.gpus = min(gpus, self.workers)
        self._patience = patience
        self._retries = retries
        self._shared_folder = folder
        self._pools = itertools.count()

    def run(
        self, function: Callable[[Any], Result], tasks: Iterable[Any], *, gpu: bool = False
    ) -> Iterator[Result]:
        """See `Runner.run`."""
        import ray

        workers, resources = self._resources(gpu)
        remote = ray.remote(max_retries=self._retries, **resources)(_run_task)
        starts = [partial(remote.remote, function)] * workers
        return _run_in_order(starts, tasks, self._shared_folder, self._patience, self._retries)

    def pool(self, make: Callable[[], Any], *, gpu: bool = False) -> Pool:
        """See `Runner.pool`; each worker is an actor."""
        import ray

        # An error keeps the pool that raised it, and its actors would keep the cores.
        gc.collect()
        workers, resources = self._resources(gpu)
        limits = {"max_restarts": self._retries, "max_task_retries": self._retries}
        actor = ray.remote(**limits, **resources)(_Actor)
        packed = pack(make, self._shared_folder / f"state-{next(self._pools)}")
        with _lost_cluster_reported():
            actors = [actor.remote(packed) for _ in range(workers)]
        pool = _ActorPool(actors, self._shared_folder, self._patience, self._retries)
        weakref.finalize(pool, packed.delete)
        return pool

    def _resources(self, gpu: bool) -> tuple[int, dict[str, int]]:
        """Return the number of workers, and the resources that each of them takes."""
        if gpu and self.gpus:
            return self.gpus, {"num_cpus": 1, "num_gpus": 1}
        return self.workers, {"num_cpus": 1}


def _run_task(function: Callable[[Any], Any], task: Packed, result_path: Path) -> Packed:
    """Run a task on a worker."""
    return pack(function(task.unpack(mapped=True)), result_path)


class _Actor:
    """A worker that keeps a state, and calls functions with it."""

    def __init__(self, make: Packed) -> None:
        self._make = make
        self._states: list[Any] = []  # the state, once it was needed

    def call(self, function: Callable[[Any, Any], Any], task: Packed, result_path: Path) -> Packed:
        """Run a task."""
        if not self._states:  # not in __init__, so that its errors are raised as a task's
            self._states = [self._make.unpack(mapped=True)()]
        return pack(function(self._states[0], task.unpack(mapped=True)), result_path)


class _ActorPool:
    def __init__(self, actors: Sequence[Any], folder: Path, patience: float, retries: int) -> None:
        self._actors = actors
        self._folder = folder
        self._patience = patience
        self._retries = retries

    def run(self, function: Callable[[Any, Any], Result], tasks: Iterable[Any]) -> Iterator[Result]:
        starts = [partial(actor.call.remote, function) for actor in self._actors]
        return _run_in_order(starts, tasks, self._folder, self._patience, self._retries)


@contextmanager
def _lost_cluster_reported() -> Iterator[None]:
    """Turn the loss of the cluster, which any call may notice, into `RunnerFailed`."""
    try:
        yield
    except ConnectionError as error:
        raise RunnerFailed(
            f"the cluster is gone ({first_line(error)}); run the command again"
        ) from error


def _run_in_order(
    starts: Sequence[Start], tasks: Iterable[Any], folder: Path, patience: float, retries: int
) -> Iterator[Any]:
    """Run tasks, and yield their results in the order of the tasks.

    Args:
        starts: Starts a task on each worker, and returns a reference to its result.
        tasks: Consumed as workers become free.
        folder: Where the arrays of tasks and results are until they are read.
        patience: Seconds without a finished task, after which a warning says so.
        retries: Number of times that Ray starts a task again whose worker died.

    Raises:
        RunnerFailed: if the cluster is lost, or workers keep dying.
    """
    with (
        _lost_cluster_reported(),
        tempfile.TemporaryDirectory(
            prefix="tasks-", dir=folder, ignore_cleanup_errors=True
        ) as exchange,
    ):
        finished: dict[int, Packed] = {}
        following = 0
        for number, result in _run_unordered(starts, tasks, Path(exchange), patience, retries):
            finished[number] = result
            while following in finished:
                packed = finished.pop(following)
                value = packed.unpack(mapped=False)
                packed.delete()
                yield value
                following += 1


def _run_unordered(
    starts: Sequence[Start], tasks: Iterable[Any], folder: Path, patience: float, retries: int
) -> Iterator[tuple[int, Packed]]:
    """Keep every worker busy with one task; yield the number and the result of each that ends."""
    import ray

    numbered = enumerate(tasks)
    idle = deque(starts)
    running: dict[Any, tuple[int, Packed, Start]] = {}
    while True:
        while idle and (numbered_task := next(numbered, None)) is not None:
            number, task = numbered_task
            start, packed = idle.popleft(), pack(task, folder / f"{number}.task")
            running[start(packed, folder / f"{number}.result")] = number, packed, start
        if not running:
            return
        ready, _ = ray.wait(list(running), timeout=patience)
        if not ready:
            _warn_of_stall(len(running), patience)
            continue
        number, packed, start = running.pop(ready[0])
        idle.append(start)
        result = _fetch(ready[0], retries)
        packed.delete()
        yield number, result


def _fetch(reference: Any, retries: int) -> Packed:  # noqa: ANN401
    """Return the result of a task; raise the task's own error as if it had run here."""
    import ray

    try:
        result: Packed = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, Exception) else error) from None
    except ray.exceptions.RayError as error:
        raise RunnerFailed(
            Message(
                "a worker died {times} times at the same task ({reason}); give it more memory, or "
                "leave `runner` out",
                times=retries + 1,
                reason=first_line(error),
            )
        ) from error
    return result


def _warn_of_stall(running: int, patience: float) -> None:
    import ray

    total, free = ray.cluster_resources(), ray.available_resources()
    log.warning(
        "no task has ended for %g s: %d are running or wait for a free core; %g of the cluster's "
        "%g cores are free. Look at it with: ray status",
        patience,
        running,
        free.get("CPU", 0),
        total.get("CPU", 0),
    )


@contextmanager
def open_ray(
    name: str, folder: Path, *, workers: int | None = None, patience: float = PATIENCE_SECONDS
) -> Iterator[RayRunner]:
    """Start Ray on this machine, or connect to a cluster.

    Args:
        name: `ray`, or `ray://HOST:PORT` of a cluster's client server.
        folder: The folder for arrays; every worker reaches it under this path.
        workers: The number of workers on this machine; None for all cores but one.
        patience: Seconds without a finished task, after which a warning says so.

    Raises:
        MissingExtra: if Ray isn't installed.
        RunnerFailed: if it can't be started or reached, or a machine has another version of
            searchkit or doesn't reach the folder.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # a Ray started here reports nothing to its makers
    try:
        import ray
    except ImportError as error:
        raise MissingExtra(
            Message("`runner='ray'` needs Ray: pip install 'searchkit[ray]'")
        ) from error
    with tempfile.TemporaryDirectory(prefix="sk-ray-", ignore_cleanup_errors=True) as session:
        settings: dict[str, Any] = {
            "runtime_env": {"env_vars": ENVIRONMENT},
            "logging_level": logging.ERROR,
            "log_to_driver": False,
        }
        if name == "ray":
            settings |= {
                "address": "local",
                "num_cpus": None if workers is None else workers + 1,
                "include_dashboard": False,
                "_temp_dir": session,
                "object_store_memory": OBJECT_STORE_BYTES,
            }
        else:
            settings["address"] = name
        try:
            _initialize(settings)
        except (OSError, RuntimeError, ValueError) as error:  # ConnectionError is an OSError
            action = "started" if name == "ray" else "reached"
            raise RunnerFailed(f"{name}: can't be {action} ({first_line(error)})") from error
        try:
            with _lost_cluster_reported():
                _check_machines(folder)
                resources = ray.cluster_resources()
            cpus, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
            yield RayRunner(folder, cpus, gpus, patience)
        finally:
            ray.shutdown()


def _initialize(settings: Mapping[str, Any]) -> None:
    """Call `ray.init`, and call it again where a cluster couldn't start its process for us."""
    import ray

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="ray")  # they repeat the error
        for attempt in range(1, CONNECTION_ATTEMPTS + 1):
            try:
                ray.init(**settings)
            except ConnectionAbortedError as error:
                log.debug("attempt %d to connect to the cluster: %s", attempt, error)
                if attempt == CONNECTION_ATTEMPTS:
                    raise
            else:
                return


def _check_machines(folder: Path) -> None:
    """Check that every machine has this version of searchkit and sees the files in the folder."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    probe = folder / "probe"
    probe.write_text(__version__, "utf-8")
    machines = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    look = ray.remote(num_cpus=0)(_look)
    references = [
        look.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(str(probe))
        for node in machines
    ]
    for node, reference in zip(machines, references, strict=True):
        machine = node["NodeManagerHostname"]
        try:
            version, content = ray.get(reference)
        except ray.exceptions.RayError as error:
            reason = str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
            raise RunnerFailed(
                f"{machine}: can't run searchkit there ({reason}); install it"
            ) from error
        if version != __version__:
            raise RunnerFailed(
                f"{machine}: has searchkit {version}, and here is {__version__}; install the same"
            )
        if content != __version__:
            raise RunnerFailed(
                Message(
                    "{machine}: doesn't reach {folder}; name with `shards` a folder that all "
                    "machines share",
                    machine=machine,
                    folder=folder.parent,
                )
            )
    probe.unlink()


def _look(probe: str) -> tuple[str, str]:
    """Return the version of searchkit on this machine, and what the probe's file holds here."""
    path = Path(probe)
    return __version__, path.read_text("utf-8") if path.is_file() else ""
