"""Sums through shared memory: real processes of a real group, their growth, the end of one, and where memory is not shared."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from amad.training import shared_sums
from amad.training.shared_sums import SharedSums

# numbers: two of them ask for more room
SIZES = (1, 7, 100_000, 3, shared_sums.LEAST_ROOM + 5, 2 * shared_sums.LEAST_ROOM, 1)


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own for the shared files: other tests make some meanwhile."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(shared_sums, "IN_MEMORY", str(folder))
    return folder


def numbers(rank: int, size: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(1000 * rank + size % 997))


def group(rank, size, address):
    import torch.distributed as distributed

    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{address}", rank=rank, world_size=size)
    return distributed


def sums(rank, size, address, answers):
    """Adds up tensors of many sizes again and again, each process resting at moments of its own."""
    distributed = group(rank, size, address)
    shared, found = SharedSums(distributed), []
    for turn in range(30):
        for length in SIZES if turn % 10 == 0 else SIZES[:2]:
            mine = numbers(rank, length) + turn
            total = shared.add(mine.view(1, -1))
            found.append(None if total is None else (tuple(total.shape), total[0, ::997].tolist()))
        if (turn + rank) % 7 == 0:
            time.sleep(0.03)  # longer than others wait eagerly
    answers.put((rank, found, os.listdir(shared_sums.IN_MEMORY)))
    distributed.barrier()
    distributed.destroy_process_group()


def started(target, size, address: Path, answers):
    context = multiprocessing.get_context("fork")
    members = [context.Process(target=target, args=(rank, size, address, answers)) for rank in range(size)]
    for member in members:
        member.start()
    return members


def ended(members) -> list[int]:
    for member in members:
        member.join(60)
    return [member.exitcode for member in members]


ordered = pytest.mark.skipif(not shared_sums.ORDERED, reason="memory is not shared on this processor or system")


@ordered
@pytest.mark.parametrize("size", [2, 3])
def test_every_process_gets_the_sum_of_all_whatever_their_number_size_and_pace(tmp_path: Path, size):
    answers = multiprocessing.get_context("fork").SimpleQueue()
    members = started(sums, size, tmp_path / "address", answers)
    found = {rank: rest for rank, *rest in (answers.get() for _ in range(size))}
    assert ended(members) == [0] * size
    at = 0
    for turn in range(30):
        for length in SIZES if turn % 10 == 0 else SIZES[:2]:
            total = numbers(0, length) + turn
            for rank in range(1, size):
                total += numbers(rank, length) + turn
            for rank in range(size):
                assert found[rank][0][at] == ((1, length), total[::997].tolist())  # to the bit, and for all the same
            at += 1
    assert all(left == [] for _, left in found.values())  # nothing to clear away, however a process ends


def dies(rank, size, address, answers):
    """The last process is killed between two sums; the others are to hear of it."""
    shared = SharedSums(group(rank, size, address))
    shared.add(torch.ones(3))
    if rank == size - 1:
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        shared.add(torch.ones(3))
    except RuntimeError as error:
        answers.put(str(error))
    os._exit(0)


@ordered
def test_whoever_waits_for_a_killed_process_is_told(tmp_path: Path):
    answers = multiprocessing.get_context("fork").SimpleQueue()
    members = started(dies, 2, tmp_path / "address", answers)
    assert answers.get() == "process 1 of the team has ended"
    assert ended(members) == [0, -signal.SIGKILL]


def apart(rank, size, address, answers):
    """One process cannot map the file, as on another machine."""
    distributed = group(rank, size, address)
    if rank == 1:
        shared_sums._map = lambda path, numbers: None
    shared = SharedSums(distributed)
    answers.put((rank, [shared.add(torch.ones(3)), shared.add(torch.ones(10))]))
    distributed.barrier()
    distributed.destroy_process_group()


def full(rank, size, address, answers):
    """No room for the file."""

    def refuse(*_):
        raise OSError(28, "No space left on device")

    os.posix_fallocate = refuse
    distributed = group(rank, size, address)
    answers.put((rank, [SharedSums(distributed).add(torch.ones(3))]))
    distributed.barrier()
    distributed.destroy_process_group()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room is reserved on POSIX alone")
@pytest.mark.parametrize("member", [apart, full])
def test_where_memory_is_not_shared_all_processes_know_it(tmp_path: Path, memory: Path, member):
    answers = multiprocessing.get_context("fork").SimpleQueue()
    members = started(member, 3, tmp_path / "address", answers)
    found = [answers.get() for _ in range(3)]
    assert ended(members) == [0, 0, 0]
    assert sorted(rank for rank, _ in found) == [0, 1, 2]
    assert all(total is None for _, totals in found for total in totals)
    assert not os.listdir(memory)
