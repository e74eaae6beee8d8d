"""Kaskade, a console for terminals, driven through its own screens without one: with_kaskade.py HOST:PORT SCENARIO PREFIX."""

import asyncio
import os
import sys
import tempfile

# Its settings and logs would stand in the home directory.
home = tempfile.TemporaryDirectory(prefix="naru-kaskade-", ignore_cleanup_errors=True)
os.environ["HOME"] = home.name

from confluent_kafka import Consumer, Producer, TopicPartition
from kaskade.admin import KaskadeAdmin, ListTopics
from kaskade.commands import CreateTopicCommand
from kaskade.consumer import KaskadeConsumer
from kaskade.deserializers import Deserialization
from textual.widgets import DataTable

PARTITIONS = 3
RECORDS = 30
COMMITTED_AT = 4


async def until(pilot, is_so, what):
    for _ in range(300):
        if is_so():
            return
        await pilot.pause(0.1)
    raise SystemExit(f"not within 30 s: {what()}")


def row_of(table, name):
    for key in table.rows:
        if key.value == name:
            return [str(cell) for cell in table.get_row(key)]
    return None


async def admin(broker, prefix):
    """Lists a topic with its records, its group and the group's lag; creates, changes and deletes another."""
    topic, group, other = f"{prefix}-shown", f"{prefix}-readers", f"{prefix}-other"
    app = KaskadeAdmin({"bootstrap.servers": broker}, refresh_interval=0)
    problems = []
    app.notify = lambda message, **details: problems.append(message) if details.get("severity") == "error" else None
    async with app.run_test(size=(200, 50)) as pilot:
        topics = app.query_one(ListTopics)
        service = topics.topic_service
        service.create(CreateTopicCommand(topic, PARTITIONS, None, None, "delete", 7000000))
        fill(broker, topic, group)
        topics.action_refresh()
        table = app.query_one("#topics-table", DataTable)
        shown = [topic, str(PARTITIONS), "1", "1", "1", "0", f"≈{RECORDS}", f"≈{RECORDS - COMMITTED_AT}"]
        await until(pilot, lambda: row_of(table, topic) == shown, lambda: f"{row_of(table, topic)} instead of {shown}; {problems}")
        configs = {config.name: config.value for config in service.describe_configs(topic)}
        assert (configs["retention.ms"], configs["cleanup.policy"]) == ("7000000", "delete"), configs
        service.create(CreateTopicCommand(other, 1, 1, 1, "compact", 1000))
        service.edit(other, {"retention.ms": "2000"})
        service.add_partitions(other, 5)
        assert service.get_configs(other)["retention.ms"] == "2000"
        topics.action_refresh()
        await until(pilot, lambda: (row_of(table, other) or [None, None])[1] == "5", lambda: row_of(table, other))
        service.delete(other)
        topics.action_refresh()
        await until(pilot, lambda: row_of(table, other) is None, lambda: row_of(table, other))
    assert problems == [], problems


async def messages(broker, prefix):
    """Shows the records of a topic from their beginning."""
    topic = f"{prefix}-messages"
    fill(broker, topic, f"{prefix}-group")
    text = Deserialization.STRING
    settings = {"bootstrap.servers": broker, "auto.offset.reset": "earliest"}
    app = KaskadeConsumer(topic, settings, {}, {}, {}, text, text)
    async with app.run_test(size=(200, 80)) as pilot:
        table = app.query_one("#records-table", DataTable)
        await until(pilot, lambda: table.row_count >= 25, lambda: f"{table.row_count} records")
        rows = [" ".join(str(cell) for cell in table.get_row(key)) for key in table.rows]
        assert len(set(rows)) == len(rows), rows
        assert all("value " in row and "key " in row for row in rows), rows


def fill(broker, topic, group):
    producer = Producer({"bootstrap.servers": broker})
    for index in range(RECORDS):
        producer.produce(topic, key=f"key {index}", value=f"value {index}")
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group})
    ends = {partition: end(consumer, topic, partition) for partition in consumer.list_topics(topic, 10).topics[topic].partitions}
    first = max(ends, key=ends.get)
    consumer.commit(
        offsets=[TopicPartition(topic, partition, COMMITTED_AT if partition == first else 0) for partition in ends],
        asynchronous=False,
    )
    consumer.close()


def end(consumer, topic, partition):
    return consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)[1]


if __name__ == "__main__":
    asyncio.run({"admin": admin, "messages": messages}[sys.argv[2]](sys.argv[1], sys.argv[3]))
