"""What the AdminClient of confluent-kafka (librdkafka) can ask a fresh broker: ask_confluent.py HOST:PORT. Each call finds what those before it left."""

import sys
import time
import warnings
from collections.abc import Callable

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    ElectionType,
    IsolationLevel,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)

from asking import tell
from records import FIRST_TIMESTAMP, TIMEOUT_S

TOPIC = "asked"
ABSENT = "absent"
GROUP = "asked-group"


def ask(name: str, call: Callable[[], object]) -> None:
    """Calls give a future, or a future for each thing that was asked about."""
    try:
        answer = call()
        tell(name, {named(key): outcome(each) for key, each in answer.items()} if isinstance(answer, dict) else outcome(answer))
    except Exception as error:
        tell(name, error)


def named(key: object) -> object:
    """A resource holds what was asked for as well, which is no answer."""
    return f"{key.restype.name} {key.name}" if isinstance(key, ConfigResource) else key


def outcome(future: object) -> object:
    if not hasattr(future, "result"):
        return future
    try:
        return future.result(TIMEOUT_S)
    except Exception as error:
        return error


def topics(admin: AdminClient) -> None:
    ask("create_topics, validated only", lambda: admin.create_topics([NewTopic(TOPIC, 2, 1)], validate_only=True))
    ask("create_topics", lambda: admin.create_topics([NewTopic(TOPIC, 2, 1, config={"segment.bytes": "1048576"})]))
    wrong = [
        NewTopic(TOPIC, 2, 1),
        NewTopic("asked-wide", 1, 3),
        NewTopic("bad name", 1, 1),
        NewTopic("asked-bad", 1, 1, config={"retention.ms": "soon"}),
        NewTopic("asked-unknown", 1, 1, config={"no.such.option": "1"}),
        NewTopic("asked-elsewhere", 1, replica_assignment=[[7]]),
    ]
    ask("create_topics, refused", lambda: admin.create_topics(wrong))
    ask("describe_topics", lambda: admin.describe_topics(TopicCollection([TOPIC, ABSENT])))
    ask("describe_topics, with what may be done", lambda: admin.describe_topics(TopicCollection([TOPIC]), include_authorized_operations=True))
    ask("create_partitions", lambda: admin.create_partitions([NewPartitions(TOPIC, 3), NewPartitions(ABSENT, 3)]))
    ask("create_partitions, fewer", lambda: admin.create_partitions([NewPartitions(TOPIC, 1)]))
    ask("create_partitions, elsewhere", lambda: admin.create_partitions([NewPartitions(TOPIC, 4, replica_assignment=[[7]])]))
    ask("describe_cluster", lambda: admin.describe_cluster(include_authorized_operations=True))


def partitions(admin: AdminClient) -> None:
    specs = {
        "earliest": OffsetSpec.earliest(),
        "latest": OffsetSpec.latest(),
        "max_timestamp": OffsetSpec.max_timestamp(),
        "for_timestamp": OffsetSpec.for_timestamp(FIRST_TIMESTAMP + 4),
        "behind the end": OffsetSpec.for_timestamp(FIRST_TIMESTAMP + 100),
    }
    for name, spec in specs.items():
        ask(f"list_offsets {name}", lambda: admin.list_offsets({TopicPartition(TOPIC, each): spec for each in (0, 1, 9)}))
    committed = IsolationLevel.READ_COMMITTED
    ask("list_offsets, committed", lambda: admin.list_offsets({TopicPartition(TOPIC, 0): OffsetSpec.latest()}, isolation_level=committed))
    ask("delete_records", lambda: admin.delete_records([TopicPartition(TOPIC, 0, 4), TopicPartition(TOPIC, 1, 1000)]))
    ask("elect_leaders", lambda: admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(TOPIC, 0), TopicPartition(ABSENT, 0)]))
    ask("elect_leaders of all", lambda: admin.elect_leaders(ElectionType.UNCLEAN))


def configs(admin: AdminClient) -> None:
    def change(name: str, kind: ResourceType, resource: str, option: str, value: str | None, how: AlterConfigOpType, **settings: bool) -> None:
        entry = ConfigEntry(option, value, incremental_operation=how)
        ask(
            f"incremental_alter_configs {name}",
            lambda: admin.incremental_alter_configs([ConfigResource(kind, resource, incremental_configs=[entry])], **settings),
        )

    of = ResourceType
    how = AlterConfigOpType
    change("set", of.TOPIC, TOPIC, "retention.ms", "7000", how.SET)
    change("append", of.TOPIC, TOPIC, "cleanup.policy", "compact", how.APPEND)
    change("subtract", of.TOPIC, TOPIC, "cleanup.policy", "delete", how.SUBTRACT)
    change("append to no list", of.TOPIC, TOPIC, "retention.ms", "1", how.APPEND)
    change("delete", of.TOPIC, TOPIC, "segment.bytes", None, how.DELETE)
    change("refused", of.TOPIC, TOPIC, "retention.ms", "soon", how.SET)
    change("absent", of.TOPIC, ABSENT, "retention.ms", "1", how.SET)
    change("validated only", of.TOPIC, TOPIC, "retention.ms", "9000", how.SET, validate_only=True)
    change("broker, read only", of.BROKER, "1", "num.partitions", "3", how.SET)
    change("group", of.GROUP, GROUP, "consumer.session.timeout.ms", "50000", how.SET)
    warnings.simplefilter("ignore", DeprecationWarning)  # Clients go on calling it.
    ask("alter_configs", lambda: admin.alter_configs([ConfigResource(of.TOPIC, TOPIC, set_config={"retention.ms": "8000"})]))
    ask("alter_configs, refused", lambda: admin.alter_configs([ConfigResource(of.TOPIC, TOPIC, set_config={"no.such.option": "1"})]))
    for kind, name in ((of.TOPIC, TOPIC), (of.GROUP, GROUP)):
        [described] = admin.describe_configs([ConfigResource(kind, name)]).values()
        tell(f"describe_configs {kind.name}", {entry.name: told(entry) for entry in described.result(TIMEOUT_S).values()})
    ask("describe_configs, absent", lambda: admin.describe_configs([ConfigResource(of.TOPIC, ABSENT)]))
    change("group, delete", of.GROUP, GROUP, "consumer.session.timeout.ms", None, how.DELETE)


def told(entry: ConfigEntry) -> tuple[object, ...]:
    synonyms = [(name, each.value, each.source) for name, each in sorted(entry.synonyms.items())]
    return entry.value, entry.source, entry.is_read_only, entry.is_default, entry.is_sensitive, synonyms


def groups(admin: AdminClient) -> None:
    committed = [TopicPartition(TOPIC, 0, 5), TopicPartition(TOPIC, 1, 0)]
    # The first question after a group makes the topic of the offsets, and is answered before that is loaded.
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        [first] = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, committed)]).values()
        if all(partition.error is None for partition in first.result(TIMEOUT_S).topic_partitions):
            break
        time.sleep(0.1)
    ask("alter_consumer_group_offsets", lambda: admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, committed)]))
    wrong = [TopicPartition(ABSENT, 0, 1)]
    ask("alter_consumer_group_offsets, absent", lambda: admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, wrong)]))
    ask("list_consumer_group_offsets", lambda: admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)], require_stable=True))
    some = [TopicPartition(ABSENT, 0), TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 2)]
    ask("list_consumer_group_offsets, some", lambda: admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, some)]))
    ask("list_consumer_groups", admin.list_consumer_groups)
    ask("list_consumer_groups, stable", lambda: admin.list_consumer_groups(states={ConsumerGroupState.STABLE}))
    ask("list_consumer_groups, consumer", lambda: admin.list_consumer_groups(types={ConsumerGroupType.CONSUMER}))
    ask("describe_consumer_groups", lambda: admin.describe_consumer_groups([GROUP, ABSENT], include_authorized_operations=True))
    ask("delete_consumer_groups", lambda: admin.delete_consumer_groups([GROUP, ABSENT]))


def security(admin: AdminClient) -> None:
    binding = (ResourceType.TOPIC, TOPIC, ResourcePatternType.LITERAL, "User:a", "*", AclOperation.READ, AclPermissionType.ALLOW)
    ask("create_acls", lambda: list(admin.create_acls([AclBinding(*binding)]).values())[0])
    ask("describe_acls", lambda: admin.describe_acls(AclBindingFilter(*binding)))
    ask("delete_acls", lambda: list(admin.delete_acls([AclBindingFilter(*binding)]).values())[0])
    ask("describe_user_scram_credentials", admin.describe_user_scram_credentials)
    ask("describe_user_scram_credentials of two", lambda: admin.describe_user_scram_credentials(["a", "b"]))


def main() -> None:
    [broker] = sys.argv[1:]
    admin = AdminClient({"bootstrap.servers": broker})
    topics(admin)
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 500, "enable.idempotence": True})
    for index in range(10):
        producer.produce(TOPIC, partition=0, value=f"value {index}", timestamp=FIRST_TIMESTAMP + index)
    producer.flush(TIMEOUT_S)
    partitions(admin)
    configs(admin)
    groups(admin)
    security(admin)
    ask("delete_topics", lambda: admin.delete_topics([TOPIC, ABSENT]))


if __name__ == "__main__":
    main()
