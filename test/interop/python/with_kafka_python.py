"""kafka-python: threads, and another pure Python protocol."""

import queue
import threading
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from groups import PARTITIONS, share
from records import CODECS, FIRST_TIMESTAMP, TIMEOUT_S, Record, batch_of, run, same, same_records


def create_topic(broker: str, topic: str, partitions: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics([NewTopic(topic, partitions, 1)])
    admin.close()


def consume(broker: str, topic: str, offset: int, count: int) -> list[Record]:
    consumer = KafkaConsumer(bootstrap_servers=broker, group_id=None, check_crcs=True, consumer_timeout_ms=TIMEOUT_S * 1000)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, offset)
    found = [next(consumer) for _ in range(count)]
    consumer.close()
    same([message.offset for message in found], list(range(offset, offset + count)), "offsets")
    return [Record(message.key, message.value, list(message.headers), message.timestamp) for message in found]


def codecs(broker: str, topic: str) -> None:
    create_topic(broker, topic, 1)
    sent: list[Record] = []
    for codec in CODECS:
        for settings in [
            {"acks": 1, "enable_idempotence": False},
            {"acks": "all", "enable_idempotence": False},
            {"enable_idempotence": True},
            {"acks": 0, "enable_idempotence": False},
        ]:
            batch = batch_of(topic, 0, f"{codec}/{settings}", 50)
            producer = KafkaProducer(bootstrap_servers=broker, compression_type=None if codec == "none" else codec, **settings)
            for record in batch:
                producer.send(topic, record.value, record.key, record.headers, 0, record.timestamp)
            producer.flush(TIMEOUT_S)
            producer.close(TIMEOUT_S)
            sent += batch
        # Before the next producer: without an acknowledgement nothing else says that the records are there.
        same_records(consume(broker, topic, 0, len(sent)), sent, codec)


def offsets(broker: str, topic: str) -> None:
    create_topic(broker, topic, 1)
    producer = KafkaProducer(bootstrap_servers=broker, linger_ms=100)
    sent = batch_of(topic, 0, "offsets", 100)
    for record in sent:
        producer.send(topic, record.value, record.key, record.headers, 0, record.timestamp)
    producer.close(TIMEOUT_S)
    same_records(consume(broker, topic, 63, 37), sent[63:], "from the middle of a batch")
    consumer = KafkaConsumer(bootstrap_servers=broker, group_id=None)
    partition = TopicPartition(topic, 0)
    same(consumer.beginning_offsets([partition]), {partition: 0}, "start")
    same(consumer.end_offsets([partition]), {partition: 100}, "end")
    same(consumer.offsets_for_times({partition: FIRST_TIMESTAMP + 42})[partition].offset, 42, "offset by time")
    consumer.close()


class Member:
    """A consumer in a thread of its own: while it joins it hears nothing else, and two of them wait for each other."""

    def __init__(self, broker: str, topic: str) -> None:
        self.settings = {"group_id": topic, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
        self.found: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        self.share: set[int] = set()
        self.is_leaving = False
        self.thread = threading.Thread(target=self.run, args=(broker, topic), daemon=True)
        self.thread.start()

    def run(self, broker: str, topic: str) -> None:
        consumer = KafkaConsumer(topic, bootstrap_servers=broker, **self.settings)
        while not self.is_leaving:
            for records in consumer.poll(timeout_ms=100).values():
                for record in records:
                    self.found.put((record.partition, record.offset))
            self.share = {partition.partition for partition in consumer.assignment()}
        consumer.commit()
        consumer.close()

    def poll(self) -> list[tuple[int, int]]:
        time.sleep(0.01)
        return [self.found.get() for _ in range(self.found.qsize())]

    def assigned(self) -> set[int]:
        return self.share

    def leave(self) -> None:
        self.is_leaving = True
        self.thread.join(TIMEOUT_S)
        same(self.thread.is_alive(), False, "still leaving: that it is")


def classic(broker: str, topic: str) -> None:
    create_topic(broker, topic, PARTITIONS)
    producer = KafkaProducer(bootstrap_servers=broker)

    def produce(partition: int, count: int) -> None:
        for record in batch_of(topic, partition, "group", count):
            producer.send(topic, record.value, record.key, record.headers, partition, record.timestamp)
        producer.flush(TIMEOUT_S)

    share(lambda: Member(broker, topic), produce)
    producer.close(TIMEOUT_S)


if __name__ == "__main__":
    run(codecs, offsets, classic)
