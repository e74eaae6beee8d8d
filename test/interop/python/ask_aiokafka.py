"""What the admin client of aiokafka can ask a fresh broker: ask_aiokafka.py HOST:PORT. Its answers are those of the wire, in fields."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from asking import tell
from records import FIRST_TIMESTAMP, TIMEOUT_S

TOPIC = "asked"
ABSENT = "absent"
GROUP = "asked-group"


async def ask(name: str, call: Callable[[], Awaitable[object]]) -> None:
    try:
        answer = await call()
        tell(name, fields(answer))
    except Exception as error:
        tell(name, error)


def fields(answer: object) -> object:
    if isinstance(answer, list):
        return [fields(each) for each in answer]
    return answer.to_object() if hasattr(answer, "to_object") else answer


async def main() -> None:
    [broker] = sys.argv[1:]
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    new = NewTopic(TOPIC, 2, 1, topic_configs={"segment.bytes": "1048576"})
    await ask("create_topics, validated only", lambda: admin.create_topics([new], validate_only=True))
    await ask("create_topics", lambda: admin.create_topics([new]))
    await ask("create_topics, refused", lambda: admin.create_topics([new, NewTopic("wide", 1, 3), NewTopic("bad name", 1, 1)]))
    await ask("describe_topics", lambda: admin.describe_topics([TOPIC]))
    await ask("list_topics", admin.list_topics)
    await ask("describe_cluster", admin.describe_cluster)
    await ask("create_partitions", lambda: admin.create_partitions({TOPIC: NewPartitions(3)}))
    await ask("create_partitions, fewer", lambda: admin.create_partitions({TOPIC: NewPartitions(1)}))
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for index in range(10):
            await producer.send_and_wait(TOPIC, b"value", partition=0, timestamp_ms=FIRST_TIMESTAMP + index)
    await ask("delete_records", lambda: admin.delete_records({TopicPartition(TOPIC, 0): RecordsToDelete(4)}))
    await ask("delete_records, refused", lambda: admin.delete_records({TopicPartition(TOPIC, 0): RecordsToDelete(1000)}))

    def topic(name: str, configs: dict[str, str] | None = None) -> list[ConfigResource]:
        return [ConfigResource(ConfigResourceType.TOPIC, name, configs)]

    await ask("alter_configs", lambda: admin.alter_configs(topic(TOPIC, {"retention.ms": "7000"})))
    await ask("alter_configs, refused", lambda: admin.alter_configs(topic(TOPIC, {"retention.ms": "soon"})))
    await ask("alter_configs, absent", lambda: admin.alter_configs(topic(ABSENT, {"retention.ms": "1"})))
    some = {"retention.ms": "", "segment.bytes": ""}
    await ask("describe_configs", lambda: admin.describe_configs(topic(TOPIC, some), include_synonyms=True))
    await ask("describe_configs, absent", lambda: admin.describe_configs(topic(ABSENT)))
    async with AIOKafkaConsumer(bootstrap_servers=broker, group_id=GROUP, enable_auto_commit=False) as consumer:
        consumer.assign([TopicPartition(TOPIC, 0)])
        await consumer.commit({TopicPartition(TOPIC, 0): 5})
    await ask("find_coordinator", lambda: admin.find_coordinator(GROUP))
    await ask("list_consumer_groups", admin.list_consumer_groups)
    await ask("describe_consumer_groups", lambda: admin.describe_consumer_groups([GROUP]))
    await ask("describe_consumer_groups, absent", lambda: admin.describe_consumer_groups([ABSENT], include_authorized_operations=True))
    await ask("list_consumer_group_offsets", lambda: admin.list_consumer_group_offsets(GROUP))
    await ask("list_consumer_group_offsets, some", lambda: admin.list_consumer_group_offsets(GROUP, partitions=[TopicPartition(TOPIC, 1)]))
    await ask("delete_topics", lambda: admin.delete_topics([TOPIC, ABSENT]))
    await admin.close()


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), TIMEOUT_S))
