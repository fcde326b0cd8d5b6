"""Batches are computed several at a time, and come in their order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from searchkit.encoding.openvino_runtime import infer_in_turn


class FakeNetwork:
    """Returns what it is given, once it has been waited for; knows how many batches it computes."""

    def __init__(self, streams: int) -> None:
        self.streams = streams
        self.running: list[FakeRequest] = []
        self.most = 0
        self.requests = 0

    def get_property(self, name: str) -> int:
        assert name == "OPTIMAL_NUMBER_OF_INFER_REQUESTS"
        return self.streams

    def create_infer_request(self) -> FakeRequest:
        self.requests += 1
        return FakeRequest(self)


class FakeRequest:
    def __init__(self, network: FakeNetwork) -> None:
        self.network = network
        self.output: object = None
        self.input: list[int] = []

    def start_async(self, tensors: list[int]) -> None:
        assert self not in self.network.running
        self.network.running.append(self)
        self.network.most = max(self.network.most, len(self.network.running))
        self.input = tensors

    def wait(self) -> None:
        if self in self.network.running:
            self.network.running.remove(self)
        self.output = self.input


def batches(count: int) -> Iterator[tuple[str, list[int]]]:
    return ((f"batch {n}", [n]) for n in range(count))


@pytest.mark.parametrize("streams", [1, 2, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_each_batch_comes_in_order_with_its_output(streams: int, count: int) -> None:
    network = FakeNetwork(streams)
    results = [(label, request.output) for label, request in infer_in_turn(network, batches(count))]
    assert results == [(f"batch {n}", [n]) for n in range(count)]
    assert network.most == network.requests == min(count, streams + 1)
    assert not network.running


@pytest.mark.parametrize("seen", [1, 5])
def test_one_that_is_given_up_waits_for_what_runs(seen: int) -> None:
    network = FakeNetwork(3)
    results = infer_in_turn(network, batches(9))
    for _ in range(seen):
        next(results)
    assert network.running
    results.close()
    assert not network.running


def test_an_error_of_a_batch_waits_for_what_runs() -> None:
    def failing() -> Iterator[tuple[str, list[int]]]:
        yield from batches(2)
        raise ValueError("no more")

    network = FakeNetwork(3)
    with pytest.raises(ValueError, match="no more"):
        list(infer_in_turn(network, failing()))
    assert not network.running
