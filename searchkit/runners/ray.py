"""The runner on Ray: tasks and actors on all cores of a machine or of a cluster.

The only file that knows of Ray. Blocks go through files, never through Ray's object store.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from searchkit._version import __version__
from searchkit.core.errors import MissingExtra, RunnerFailed, first_line
from searchkit.runners.base import Pool

log = logging.getLogger("searchkit")
Result = TypeVar("Result")
RETRIES = 5  # of a task whose worker died, and restarts of an actor
PATIENCE = 60.0  # seconds without a finished task, until one is told
STORE = 80_000_000  # bytes of Ray's object store on this machine: nothing but task arguments
# A worker is one core: what it calls must not take them all, nor a GPU that it wasn't given.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
}


class RayRunner:
    """A function over tasks on Ray's workers; see `runners.Runner`."""

    def __init__(self, folder: Path, cpus: int, gpus: int = 0, patience: float = PATIENCE) -> None:
        self.folder = folder
        self.workers = max(1, cpus - 1)  # one stays free: for what else the cluster has to run
        self.gpus = min(gpus, self.workers)
        self._patience = patience

    def run(
        self, function: Callable[[Any], Result], tasks: Iterable[Any], *, gpu: bool = False
    ) -> Iterator[Result]:
        """See `Runner.run`."""
        import ray

        workers, share = self._places(gpu)
        remote = ray.remote(max_retries=RETRIES, **share)(function)
        return _in_order([remote.remote] * workers, tasks, self._patience)

    def pool(self, make: Callable[[], Any], *, gpu: bool = False) -> Pool:
        """See `Runner.pool`: actors."""
        import ray

        workers, share = self._places(gpu)
        actor = ray.remote(max_restarts=RETRIES, max_task_retries=RETRIES, **share)(_Keeper)
        with _cluster_there():
            actors = [actor.remote(make) for _ in range(workers)]
        return _Actors(actors, self._patience)

    def _places(self, gpu: bool) -> tuple[int, dict[str, int]]:
        """Return how many workers there are, and what each of them takes: a core, or a GPU too."""
        if gpu and self.gpus:
            return self.gpus, {"num_cpus": 1, "num_gpus": 1}
        return self.workers, {"num_cpus": 1}


class _Keeper:
    """What an actor is: something that is made once, and calls with it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: list[Any] = []

    def call(self, function: Callable[[Any, Any], Any], task: Any) -> Any:  # noqa: ANN401
        self._made = self._made or [self._make()]  # here, so that its errors are a task's
        return function(self._made[0], task)


class _Actors:
    def __init__(self, actors: Sequence[Any], patience: float) -> None:
        self._actors = actors
        self._patience = patience

    def run(self, function: Callable[[Any, Any], Result], tasks: Iterable[Any]) -> Iterator[Result]:
        def calling(actor: Any) -> Callable[[Any], Any]:  # noqa: ANN401
            return lambda task: actor.call.remote(function, task)

        return _in_order([calling(actor) for actor in self._actors], tasks, self._patience)


@contextmanager
def _cluster_there() -> Iterator[None]:
    """Say in a line if the cluster is gone: any call to it may find that out."""
    try:
        yield
    except ConnectionError as error:
        raise RunnerFailed(
            f"the cluster is gone ({first_line(error)}); run the command again"
        ) from error


def _in_order(
    starts: Sequence[Callable[[Any], Any]], tasks: Iterable[Any], patience: float
) -> Iterator[Any]:
    """Do what `_kept_busy` does, and say so if the cluster is gone."""
    with _cluster_there():
        yield from _kept_busy(starts, tasks, patience)


def _kept_busy(
    starts: Sequence[Callable[[Any], Any]], tasks: Iterable[Any], patience: float
) -> Iterator[Any]:
    """Keep every place busy with a task at a time; return the results in the order of the tasks."""
    import ray

    stream = enumerate(tasks)
    free = deque(starts)
    busy: dict[Any, tuple[int, Callable[[Any], Any]]] = {}
    done: dict[int, Any] = {}
    given = 0
    while True:
        while free and (following := next(stream, None)) is not None:
            start = free.popleft()
            busy[start(following[1])] = (following[0], start)
        if not busy:
            return
        ready, _ = ray.wait(list(busy), timeout=patience)
        if not ready:
            _warn(len(busy), patience)
            continue
        number, start = busy.pop(ready[0])
        free.append(start)
        done[number] = _result(ready[0])
        while given in done:
            yield done.pop(given)
            given += 1


def _result(reference: Any) -> Any:  # noqa: ANN401
    """Return what a task gave; raise what it raised, as if it had run here."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, Exception) else error) from None
    except ray.exceptions.RayError as error:
        raise RunnerFailed(
            f"a worker died {RETRIES + 1} times at the same task ({first_line(error)}); give it "
            "more memory, or leave --runner out"
        ) from error


def _warn(busy: int, patience: float) -> None:
    """The watchdog: say that nothing comes, and what there is."""
    import ray

    there, free = ray.cluster_resources(), ray.available_resources()
    log.warning(
        "no task has ended for %g s: %d are running or wait for a free core; %g of the cluster's "
        "%g cores are free. Look at it with: ray status",
        patience,
        busy,
        free.get("CPU", 0),
        there.get("CPU", 0),
    )


@contextmanager
def open_ray(
    name: str, folder: Path, *, workers: int | None = None, patience: float = PATIENCE
) -> Iterator[RayRunner]:
    """Start Ray on this machine, or connect with a cluster.

    Args:
        name: `ray`, or `ray://HOST:PORT` of a cluster's client server.
        folder: Where the blocks are; the workers reach it under this path.
        workers: Of Ray on this machine; None for all cores but one.
        patience: Seconds without a finished task, until one is told.

    Raises:
        MissingExtra: if Ray isn't installed.
        RunnerFailed: if it can't be started or reached, or a machine has another searchkit or
            doesn't reach the folder.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # what is started here doesn't phone home
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("--runner ray needs Ray: pip install 'searchkit[ray]'") from error
    with tempfile.TemporaryDirectory(prefix="sk-ray-", ignore_cleanup_errors=True) as session:
        settings: dict[str, Any] = {
            "runtime_env": {"env_vars": ENVIRONMENT},
            "logging_level": logging.ERROR,
            "log_to_driver": False,
        }
        if name == "ray":
            cores = None if workers is None else workers + 1
            settings |= {
                "address": "local",
                "num_cpus": cores,
                "include_dashboard": False,
                "_temp_dir": session,
                "object_store_memory": STORE,
            }
        else:
            settings["address"] = name
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module="ray")  # it says the same as the error
                ray.init(**settings)
        except (OSError, RuntimeError, ValueError) as error:  # ConnectionError is an OSError
            what = "started" if name == "ray" else "reached"
            raise RunnerFailed(f"{name}: can't be {what} ({first_line(error)})") from error
        try:
            with _cluster_there():
                _check_machines(folder)
                there = ray.cluster_resources()
            cpus, gpus = int(there.get("CPU", 1)), int(there.get("GPU", 0))
            yield RayRunner(folder, cpus, gpus, patience)
        finally:
            ray.shutdown()


def _check_machines(folder: Path) -> None:
    """Refuse a machine that has another searchkit, or doesn't see what is in the folder."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    probe = folder / "probe"
    probe.write_text(__version__, "utf-8")
    machines = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    look = ray.remote(num_cpus=0)(_look)
    looks = [
        look.options(scheduling_strategy=On(node["NodeID"], soft=False)).remote(str(probe))
        for node in machines
    ]
    for node, reference in zip(machines, looks, strict=True):
        try:
            version, seen = ray.get(reference)
        except ray.exceptions.RayError as error:
            reason = str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
            raise RunnerFailed(
                f"{node['NodeManagerHostname']}: can't run searchkit there ({reason}); install it"
            ) from error
        if version != __version__:
            raise RunnerFailed(
                f"{node['NodeManagerHostname']}: has searchkit {version}, and here is "
                f"{__version__}; install the same"
            )
        if seen != __version__:
            raise RunnerFailed(
                f"{node['NodeManagerHostname']}: doesn't reach {folder.parent}; name with --shards "
                "a folder that all machines share"
            )
    probe.unlink()


def _look(probe: str) -> tuple[str, str]:
    path = Path(probe)
    return __version__, path.read_text("utf-8") if path.is_file() else ""
