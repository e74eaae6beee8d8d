"""confluent-kafka-python, which is librdkafka as its wheel brings it."""

import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType
from groups import PARTITIONS, share
from records import CODECS, FIRST_TIMESTAMP, TIMEOUT_S, Record, batch_of, run, same, same_records


def create_topic(broker: str, topic: str, partitions: int, config: dict[str, str] | None = None) -> None:
    admin = AdminClient({"bootstrap.servers": broker})
    for future in admin.create_topics([NewTopic(topic, partitions, 1, config=config or {})]).values():
        future.result(TIMEOUT_S)


def produce(broker: str, records: list[Record], topic: str, partition: int, config: dict[str, object]) -> list[int]:
    """Produces and returns the offsets of the delivery reports, in order."""
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 50, "message.timeout.ms": 20_000, **config})
    reports = []

    def delivered(error, message) -> None:
        reports.append(error or message.offset())

    for record in records:
        producer.produce(
            topic,
            partition=partition,
            key=record.key,
            value=record.value,
            headers=record.headers,
            timestamp=record.timestamp,
            on_delivery=delivered,
        )
    same(producer.flush(TIMEOUT_S), 0, "records that were never answered")
    return reports


def new_consumer(broker: str, **config: object) -> Consumer:
    # librdkafka wants a name for the group, although an assigned consumer that commits nothing never uses it.
    return Consumer({"bootstrap.servers": broker, "group.id": "unused", "enable.auto.commit": False, "check.crcs": True, **config})


def consume(broker: str, topic: str, partition: int, offset: int, count: int) -> list[Record]:
    consumer = new_consumer(broker)
    consumer.assign([TopicPartition(topic, partition, offset)])
    found = poll(consumer, count)
    consumer.close()
    return found


def poll(consumer: Consumer, count: int) -> list[Record]:
    found: list[Record] = []
    deadline = time.monotonic() + TIMEOUT_S
    while len(found) < count and time.monotonic() < deadline:
        for message in consumer.consume(count - len(found), 1):
            if message.error():
                raise KafkaException(message.error())
            found.append(Record(message.key(), message.value(), message.headers(), message.timestamp()[1]))
    return found


def codecs(broker: str, topic: str) -> None:
    create_topic(broker, topic, 2)
    for partition in range(2):
        sent: list[Record] = []
        for codec in CODECS:
            for acks in ["1", "all", "idempotent", "0"]:
                batch = batch_of(topic, partition, f"{codec}/{acks}", 100)
                config = {"enable.idempotence": True} if acks == "idempotent" else {"acks": acks}
                offsets = produce(broker, batch, topic, partition, {"compression.type": codec, **config})
                if acks != "0":
                    same(offsets, list(range(len(sent), len(sent) + len(batch))), f"offsets of {codec} with acks {acks}")
                sent += batch
            # Before the next producer: without an acknowledgement nothing else says that the records are there.
            same_records(consume(broker, topic, partition, OFFSET_BEGINNING, len(sent)), sent, codec)


def large(broker: str, topic: str) -> None:
    """Records near the limit, one a batch, and one that is above it."""
    create_topic(broker, topic, 1)
    sent = [Record(None, bytes([index]) * 900_000, [], FIRST_TIMESTAMP) for index in range(20)]
    same(produce(broker, sent, topic, 0, {}), list(range(20)), "offsets")
    found = [record.value for record in consume(broker, topic, 0, OFFSET_BEGINNING, 20)]
    same(found == [record.value for record in sent], True, "large values came back")
    too_large = [Record(None, b"x" * 2_000_000, [], FIRST_TIMESTAMP)]
    reports = produce(broker, too_large, topic, 0, {"message.max.bytes": 4_000_000})
    same(reports[0].code(), KafkaError.MSG_SIZE_TOO_LARGE, "report of a record that is too large")


def offsets(broker: str, topic: str) -> None:
    create_topic(broker, topic, 1)
    sent = batch_of(topic, 0, "one-batch", 100)
    produce(broker, sent, topic, 0, {"compression.type": "zstd"})
    same_records(consume(broker, topic, 0, 63, 37), sent[63:], "from the middle of a batch")
    consumer = new_consumer(broker)
    same(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=TIMEOUT_S), (0, 100), "watermarks")

    def at(timestamp: int) -> int:
        [found] = consumer.offsets_for_times([TopicPartition(topic, 0, timestamp)], timeout=TIMEOUT_S)
        return found.offset

    same(at(FIRST_TIMESTAMP + 42), 42, "offset by time")
    same(at(0), 0, "offset of the oldest time")
    same(at(FIRST_TIMESTAMP + 1000), -1, "offset of a time that has not come (librdkafka: the end)")
    consumer.close()
    admin = AdminClient({"bootstrap.servers": broker})
    for spec, expected in [(OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 100), (OffsetSpec.max_timestamp(), 99)]:
        [future] = admin.list_offsets({TopicPartition(topic, 0): spec}).values()
        same(future.result(TIMEOUT_S).offset, expected, f"list_offsets {spec}")


def ties(broker: str, topic: str) -> None:
    """Timestamps that are equal or run backwards, in and across batches; the answers are those of Apache Kafka 4.3.1."""
    admin = AdminClient({"bootstrap.servers": broker})
    times = [OffsetSpec.for_timestamp(FIRST_TIMESTAMP + index) for index in range(11)]
    specs = [OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.max_timestamp(), *times]
    expected = [(0, None), (12, None), (4, 9), *[(0, 5)] * 6, *[(3, 7)] * 2, *[(4, 9)] * 2, (-1, None)]
    for codec in CODECS:
        name = f"{topic}-{codec}"
        create_topic(broker, name, 1)
        for batch in [[5, 5, 3], [7, 9, 9, 2], [9, 9], [1, 9, 4]]:
            records = [Record(b"key", b"value", [], FIRST_TIMESTAMP + index) for index in batch]
            produce(broker, records, name, 0, {"compression.type": codec})
        found = []
        for spec in specs:
            [future] = admin.list_offsets({TopicPartition(name, 0): spec}).values()
            result = future.result(TIMEOUT_S)
            found.append((result.offset, None if result.timestamp < 0 else result.timestamp - FIRST_TIMESTAMP))
        same(found, expected, f"offsets and timestamps, {codec}")


def tail(broker: str, topic: str) -> None:
    """A fetch that waits at the tail is answered as soon as there is something."""
    create_topic(broker, topic, 1)
    consumer = new_consumer(broker, **{"fetch.wait.max.ms": 20_000, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    started = time.monotonic()
    for index in range(20):
        sent = batch_of(topic, 0, str(index), 2)[0]
        produce(broker, [sent], topic, 0, {"linger.ms": 0})
        same_records(poll(consumer, 1), [sent], "at the tail")
    same(time.monotonic() - started < 10, True, "20 records within 10 s")
    consumer.close()


def admin(broker: str, topic: str) -> None:
    create_topic(broker, topic, 4, {"segment.bytes": "1048576"})
    try:
        create_topic(broker, topic, 4)
        raise AssertionError("a topic was created twice")
    except KafkaException as error:
        same(error.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS, "creating it again")
    client = AdminClient({"bootstrap.servers": broker})
    [described] = client.describe_topics(TopicCollection([topic])).values()
    same(len(described.result(TIMEOUT_S).partitions), 4, "described partitions")
    [configs] = client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    entries = configs.result(TIMEOUT_S)
    same(entries["segment.bytes"].value, "1048576", "segment.bytes")
    same(entries["segment.bytes"].is_default, False, "segment.bytes is set on the topic")
    same(entries["retention.ms"].value, "604800000", "retention.ms")
    [node] = client.describe_cluster().result(TIMEOUT_S).nodes
    same(f"{node.host}:{node.port}", broker, "the only node")
    [gone] = client.delete_topics([topic]).values()
    gone.result(TIMEOUT_S)
    same(topic in client.list_topics(timeout=TIMEOUT_S).topics, False, "the deleted topic is still listed")


class Member:
    def __init__(self, broker: str, topic: str, config: dict[str, object]) -> None:
        settings = {"group.id": topic, "enable.auto.commit": False, "auto.offset.reset": "earliest", **config}
        self.consumer = Consumer({"bootstrap.servers": broker, **settings})
        self.consumer.subscribe([topic])

    def poll(self) -> list[tuple[int, int]]:
        found = []
        for message in self.consumer.consume(100, 0.1):
            if message.error():
                raise KafkaException(message.error())
            found.append((message.partition(), message.offset()))
        return found

    def assigned(self) -> set[int]:
        return {partition.partition for partition in self.consumer.assignment()}

    def leave(self) -> None:
        self.consumer.commit(asynchronous=False)
        self.consumer.close()


def classic(broker: str, topic: str) -> None:
    group(broker, topic, {"partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": 10_000})


def consumer(broker: str, topic: str) -> None:
    group(broker, topic, {"group.protocol": "consumer"})


def group(broker: str, topic: str, config: dict[str, object]) -> None:
    create_topic(broker, topic, PARTITIONS)
    share(
        lambda: Member(broker, topic, config),
        lambda partition, count: same(
            len(produce(broker, batch_of(topic, partition, "group", count), topic, partition, {})), count, "delivered"
        ),
    )
    admin = AdminClient({"bootstrap.servers": broker})
    listed = admin.list_consumer_groups().result(TIMEOUT_S).valid
    same([each.state.name for each in listed if each.group_id == topic], ["EMPTY"], "state of the group")
    [deleted] = admin.delete_consumer_groups([topic]).values()
    deleted.result(TIMEOUT_S)


def transactions(broker: str, topic: str) -> None:
    """Without transactions a transactional producer must hear so at once, as an error that its client does not try again."""
    producer = Producer({"bootstrap.servers": broker, "transactional.id": topic})
    started = time.monotonic()
    try:
        producer.init_transactions(30)
    except KafkaException as error:
        same(error.args[0].retriable(), False, f"{error} may be tried again")
        same(time.monotonic() - started < 10, True, f"{error} at once")
        print(error)
        return
    raise AssertionError("a transactional producer was served")


if __name__ == "__main__":
    run(codecs, large, offsets, ties, tail, admin, classic, consumer, transactions)
