"""Records that say who they are, and how a scenario is run: `python CLIENT.py HOST:PORT SCENARIO PREFIX`.

Exit code 0, or 1 with what was wrong on stderr. But for the scenarios of groups, partitions are assigned directly.
"""

import asyncio
import inspect
import sys
from collections.abc import Callable
from typing import NamedTuple

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
FIRST_TIMESTAMP = 1_700_000_000_000
# A scenario that takes longer has failed: a broker that leaves a client waiting is wrong, too.
TIMEOUT_S = 45


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp: int


def batch_of(topic: str, partition: int, label: str, count: int) -> list[Record]:
    """`count` records with keys, headers and timestamps that must come back as they are; the last one is a tombstone."""
    return [
        Record(
            key=f"{label}/{index}".encode(),
            value=None
            if index == count - 1
            else f"{topic}/{partition}/{label}/{index}/".encode() + bytes([index % 256]) * (index * 37 % 900),
            headers=[("index", str(index).encode()), ("binary", b"\x00\xff")],
            timestamp=FIRST_TIMESTAMP + index,
        )
        for index in range(count)
    ]


def same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {str(found)[:500]} instead of {str(expected)[:500]}")


def same_records(found: list[Record], expected: list[Record], what: str) -> None:
    same(len(found), len(expected), f"{what}: count of records")
    for offset, (one, other) in enumerate(zip(found, expected)):
        same(one, other, f"{what}: record {offset}")


def run(*scenarios: Callable) -> None:
    by_name = {scenario.__name__: scenario for scenario in scenarios}
    try:
        broker, name, prefix = sys.argv[1:]
        scenario = by_name[name]
    except (ValueError, KeyError):
        sys.exit(f"usage: {sys.argv[0]} HOST:PORT {'|'.join(by_name)} PREFIX")
    result = scenario(broker, f"{prefix}-{name}")
    if inspect.iscoroutine(result):
        asyncio.run(asyncio.wait_for(result, TIMEOUT_S))
