"""What every client does in a group: two members share a topic, what they have read is committed, and the next ones go on behind it.

A client gives `join(member)`, an object with `poll() -> list[(partition, offset)]`, `assigned() -> set[int]` and `leave()`, which commits.
"""

import time
from collections.abc import Callable
from typing import Protocol

from records import TIMEOUT_S, same

PARTITIONS = 4
RECORDS = 50


class Member(Protocol):
    def poll(self) -> list[tuple[int, int]]: ...

    def assigned(self) -> set[int]: ...

    def leave(self) -> None: ...


def share(join: Callable[[], Member], produce: Callable[[int, int], None]) -> None:
    """`produce(partition, count)` appends records. Each is read once, whoever is there."""
    seen: set[tuple[int, int]] = set()
    for rounds in range(2):
        members = [join(), join()]
        deadline = time.monotonic() + TIMEOUT_S

        def poll_all() -> None:
            for member in members:
                for record in member.poll():
                    same(record in seen, False, f"record {record} came twice: that it did")
                    seen.add(record)
            if time.monotonic() > deadline:
                raise AssertionError(f"assigned {[member.assigned() for member in members]}, {len(seen)} records came")

        while not is_shared(members):
            poll_all()
        for partition in range(PARTITIONS):
            produce(partition, RECORDS)
        while len(seen) < (rounds + 1) * PARTITIONS * RECORDS:
            poll_all()
        for member in members:
            member.leave()


def is_shared(members: list[Member]) -> bool:
    """Everybody has something, and together they have all of it, once."""
    shares = [member.assigned() for member in members]
    return all(shares) and sorted(each for share in shares for each in share) == list(range(PARTITIONS))
