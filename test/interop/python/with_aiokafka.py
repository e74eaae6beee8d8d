"""aiokafka: a pure Python client with its own protocol code."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from groups import PARTITIONS, RECORDS
from records import CODECS, FIRST_TIMESTAMP, Record, batch_of, run, same, same_records


async def create_topic(broker: str, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
        [described] = await admin.describe_topics([topic])
        same(len(described["partitions"]), partitions, "described partitions")
    finally:
        await admin.close()


async def consume(broker: str, topic: str, partition: int, offset: int, count: int) -> list[Record]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, check_crcs=True)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition)])
        consumer.seek(TopicPartition(topic, partition), offset)
        found = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    same([message.offset for message in found], list(range(offset, offset + count)), "offsets")
    return [Record(message.key, message.value, list(message.headers), message.timestamp) for message in found]


async def codecs(broker: str, topic: str) -> None:
    await create_topic(broker, topic, 1)
    sent: list[Record] = []
    for codec in CODECS:
        for settings in [{"acks": 1}, {"acks": "all"}, {"enable_idempotence": True}, {"acks": 0}]:
            batch = batch_of(topic, 0, f"{codec}/{settings}", 50)
            producer = AIOKafkaProducer(bootstrap_servers=broker, compression_type=None if codec == "none" else codec, **settings)
            await producer.start()
            try:
                for record in batch:
                    await producer.send(topic, record.value, record.key, 0, timestamp_ms=record.timestamp, headers=record.headers)
                await producer.flush()
            finally:
                await producer.stop()
            sent += batch
        # Before the next producer: without an acknowledgement nothing else says that the records are there.
        same_records(await consume(broker, topic, 0, 0, len(sent)), sent, codec)


async def offsets(broker: str, topic: str) -> None:
    await create_topic(broker, topic, 2)
    sent = batch_of(topic, 1, "offsets", 100)
    async with AIOKafkaProducer(bootstrap_servers=broker, compression_type="gzip", max_batch_size=1 << 20) as producer:
        batch = producer.create_batch()
        for record in sent:
            appended = batch.append(key=record.key, value=record.value, timestamp=record.timestamp, headers=record.headers)
            same(appended is None, False, "the batch is full")
        await (await producer.send_batch(batch, topic, partition=1))
    same_records(await consume(broker, topic, 1, 63, 37), sent[63:], "from the middle of a batch")
    partition = TopicPartition(topic, 1)
    async with AIOKafkaConsumer(bootstrap_servers=broker) as consumer:
        same(await consumer.beginning_offsets([partition]), {partition: 0}, "start")
        same(await consumer.end_offsets([partition]), {partition: 100}, "end")
        found = await consumer.offsets_for_times({partition: FIRST_TIMESTAMP + 42})
        same(found[partition].offset, 42, "offset by time")


async def classic(broker: str, topic: str) -> None:
    """Two members share a topic, each record is read once, and the next two go on where they stopped."""
    await create_topic(broker, topic, PARTITIONS)
    seen: set[tuple[int, int]] = set()
    for rounds in range(2):
        settings = {"group_id": topic, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
        members = [AIOKafkaConsumer(topic, bootstrap_servers=broker, **settings) for _ in range(2)]
        await asyncio.gather(*(member.start() for member in members))
        while sorted(each.partition for member in members for each in member.assignment()) != list(range(PARTITIONS)) or not all(
            member.assignment() for member in members
        ):
            await asyncio.sleep(0.05)
        async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
            for partition in range(PARTITIONS):
                for record in batch_of(topic, partition, "group", RECORDS):
                    await producer.send(topic, record.value, record.key, partition, timestamp_ms=record.timestamp)
            await producer.flush()
        while len(seen) < (rounds + 1) * PARTITIONS * RECORDS:
            for member in members:
                for records in (await member.getmany(timeout_ms=100)).values():
                    for record in records:
                        same((record.partition, record.offset) in seen, False, f"{record.partition}/{record.offset} came twice")
                        seen.add((record.partition, record.offset))
        for member in members:
            await member.commit()
            await member.stop()


if __name__ == "__main__":
    run(codecs, offsets, classic)
