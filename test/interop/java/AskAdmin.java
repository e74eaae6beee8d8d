// Asks a fresh broker what Kafka's Java Admin can ask and Kafka's tools do not: AskAdmin HOST:PORT. Prints "$ NAME" for each call and what came
// of it, a line for each thing that it told of, in a fixed order; an error by its class and words.
// Invariant: each call finds what those before it left, and nothing is asked of a broker or partition that is not there where Admin would wait for it.
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.StringSerializer;

public class AskAdmin {
    private static final TopicPartition FIRST = new TopicPartition("asked", 0);
    private static final TopicPartition SECOND = new TopicPartition("asked", 1);
    private static final TopicPartition ABSENT = new TopicPartition("absent", 0);
    private static final long TIME = 1_700_000_000_000L;
    private static Admin admin;

    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("request.timeout.ms", "10000");
        settings.put("default.api.timeout.ms", "15000");
        admin = Admin.create(settings);
        topics();
        records(args[0]);
        partitions();
        configs();
        cluster();
        directories();
        groups();
        transactions();
        security();
        end();
        admin.close();
    }

    private static void topics() {
        ask("createTopics, validated only", () -> made(new CreateTopicsOptions().validateOnly(true), new NewTopic("asked", 2, (short) 1)));
        ask("createTopics", () -> made(new CreateTopicsOptions(), new NewTopic("asked", 2, (short) 1).configs(Map.of("segment.bytes", "1048576")),
            new NewTopic("asked-default", Optional.empty(), Optional.empty()), new NewTopic("asked-assigned", Map.of(0, List.of(1), 1, List.of(1)))));
        ask("createTopics, refused", () -> made(new CreateTopicsOptions(), new NewTopic("asked", 2, (short) 1), new NewTopic("asked-wide", 1, (short) 2),
            new NewTopic("asked-no-replica", 1, (short) 0), new NewTopic("asked-none", 0, (short) 1), new NewTopic("asked-bad name", 1, (short) 1),
            new NewTopic("asked-elsewhere", Map.of(0, List.of(7))), new NewTopic("asked-gap", Map.of(0, List.of(1), 2, List.of(1))),
            new NewTopic("asked-twice", Map.of(0, List.of(1, 1))), new NewTopic("asked-nowhere", Map.of(0, List.of())),
            new NewTopic("asked-bad", 1, (short) 1).configs(Map.of("segment.bytes", "1")), new NewTopic("", 1, (short) 1),
            new NewTopic("asked-unknown", 1, (short) 1).configs(Map.of("no.such.option", "1"))));
        ask("createTopics, validated only and refused",
            () -> made(new CreateTopicsOptions().validateOnly(true), new NewTopic("asked", 2, (short) 1), new NewTopic("asked-wide", 1, (short) 2)));
        ask("describeTopics", () -> admin.describeTopics(List.of("asked", "asked-default", "asked-assigned", "absent", "")).topicNameValues());
        ask("describeTopics, with what may be done",
            () -> sorted(admin.describeTopics(List.of("asked"), new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames().get()
                .get("asked").authorizedOperations()));
        ask("describeTopics, one partition at a time",
            () -> admin.describeTopics(List.of("asked", "asked-assigned"), new DescribeTopicsOptions().partitionSizeLimitPerResponse(1)).topicNameValues());
        ask("describeTopics by id", () -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(idOf("asked")))).topicIdValues().get(idOf("asked")));
        ask("describeTopics by an id that nothing has",
            () -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.METADATA_TOPIC_ID))).topicIdValues());
        ask("listTopics", () -> admin.listTopics(new ListTopicsOptions().listInternal(true)).names());
    }

    private static Object made(CreateTopicsOptions options, NewTopic... topics) {
        CreateTopicsResult result = admin.createTopics(List.of(topics), options);
        List<String> lines = new ArrayList<>();
        for (NewTopic topic : topics) {
            String name = topic.name();
            String outcome = text(result.values().get(name));
            String size = text(result.numPartitions(name)) + " partitions, " + text(result.replicationFactor(name)) + " replicas";
            lines.add(name + ": " + (outcome.equals("null") ? size : outcome));
        }
        return lines;
    }

    private static Uuid idOf(String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
    }

    private static void records(String address) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", address);
        settings.put("linger.ms", "1000");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (int index = 0; index < 10; index++) producer.send(new ProducerRecord<>("asked", 0, TIME + index * 1000L, "key", "value " + index));
            producer.flush();
        }
        ask("describeProducers", () -> admin.describeProducers(List.of(FIRST, SECOND)).all());
        ask("describeProducers of one broker", () -> admin.describeProducers(List.of(SECOND), new DescribeProducersOptions().brokerId(1)).all());
        for (OffsetSpec spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(), OffsetSpec.earliestLocal(),
            OffsetSpec.latestTiered(), OffsetSpec.earliestPendingUpload(), OffsetSpec.forTimestamp(TIME + 4500))) {
            ask("listOffsets " + spec.getClass().getSimpleName(), () -> admin.listOffsets(Map.of(FIRST, spec, SECOND, spec)).all());
        }
        ask("listOffsets behind the last", () -> admin.listOffsets(Map.of(FIRST, OffsetSpec.forTimestamp(TIME + 9001))).all());
        ask("listOffsets of what is committed",
            () -> admin.listOffsets(Map.of(FIRST, OffsetSpec.latest()), new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all());
        ask("deleteRecords", () -> admin.deleteRecords(Map.of(FIRST, RecordsToDelete.beforeOffset(4))).lowWatermarks().get(FIRST).get().lowWatermark());
        ask("deleteRecords, refused", () -> admin.deleteRecords(Map.of(FIRST, RecordsToDelete.beforeOffset(11), SECOND, RecordsToDelete.beforeOffset(-2))).lowWatermarks());
        ask("listOffsets behind the start", () -> admin.listOffsets(Map.of(FIRST, OffsetSpec.forTimestamp(0))).all());
    }

    private static void partitions() {
        ask("createPartitions, validated only",
            () -> admin.createPartitions(Map.of("asked", NewPartitions.increaseTo(9)), new CreatePartitionsOptions().validateOnly(true)).values());
        ask("createPartitions", () -> admin.createPartitions(Map.of("asked", NewPartitions.increaseTo(3, List.of(List.of(1))))).values());
        ask("createPartitions, refused", () -> admin.createPartitions(Map.of("asked", NewPartitions.increaseTo(3), "absent", NewPartitions.increaseTo(2),
            "asked-default", NewPartitions.increaseTo(0), "asked-assigned", NewPartitions.increaseTo(4, List.of(List.of(1))))).values());
        ask("createPartitions elsewhere", () -> admin.createPartitions(Map.of("asked", NewPartitions.increaseTo(4, List.of(List.of(7))))).values());
        ask("electLeaders", () -> admin.electLeaders(ElectionType.PREFERRED, Set.of(FIRST, ABSENT, new TopicPartition("asked", 9))).partitions());
        ask("electLeaders of all", () -> admin.electLeaders(ElectionType.PREFERRED, null).partitions());
        ask("electLeaders, unclean", () -> admin.electLeaders(ElectionType.UNCLEAN, Set.of(FIRST)).partitions());
        for (List<Integer> replicas : List.of(List.of(1), List.of(7), List.of(1, 1), List.of(-1))) {
            ask("alterPartitionReassignments to " + replicas, () -> admin.alterPartitionReassignments(
                Map.of(FIRST, Optional.of(new NewPartitionReassignment(replicas)), ABSENT, Optional.of(new NewPartitionReassignment(replicas)))).values());
        }
        ask("alterPartitionReassignments, called off", () -> admin.alterPartitionReassignments(Map.of(FIRST, Optional.empty(), ABSENT, Optional.empty())).values());
        ask("listPartitionReassignments", () -> admin.listPartitionReassignments().reassignments());
        ask("listPartitionReassignments of two", () -> admin.listPartitionReassignments(Set.of(FIRST, ABSENT)).reassignments());
    }

    private static void configs() {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "asked");
        ConfigResource absent = new ConfigResource(ConfigResource.Type.TOPIC, "absent");
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "asked");
        ConfigResource metrics = new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "asked");
        ConfigResource loggers = new ConfigResource(ConfigResource.Type.BROKER_LOGGER, "1");
        DescribeConfigsOptions everything = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        for (ConfigResource each : List.of(topic, group, metrics)) {
            ask("describeConfigs " + each.type() + ", documented", () -> admin.describeConfigs(List.of(each), everything).all().get().get(each).entries().stream()
                .map(entry -> String.valueOf(entry).replaceAll("documentation=.+\\)$", "documented)")).sorted().toList());
        }
        ask("describeConfigs of what is not there", () -> admin.describeConfigs(List.of(absent, new ConfigResource(ConfigResource.Type.TOPIC, "bad name"),
            new ConfigResource(ConfigResource.Type.TOPIC, ""))).values());
        alter("set", topic, false, op("retention.ms", "7000", AlterConfigOp.OpType.SET));
        alter("append", topic, false, op("cleanup.policy", "compact", AlterConfigOp.OpType.APPEND));
        alter("append again", topic, false, op("cleanup.policy", "compact", AlterConfigOp.OpType.APPEND));
        alter("subtract", topic, false, op("cleanup.policy", "delete", AlterConfigOp.OpType.SUBTRACT));
        alter("append to no list", topic, false, op("retention.ms", "1", AlterConfigOp.OpType.APPEND));
        alter("twice", topic, false, op("retention.ms", "1", AlterConfigOp.OpType.SET), op("retention.ms", "2", AlterConfigOp.OpType.SET));
        alter("no value", topic, false, op("retention.ms", null, AlterConfigOp.OpType.SET));
        alter("validated only", topic, true, op("retention.ms", "9000", AlterConfigOp.OpType.SET));
        alter("validated only and refused", topic, true, op("retention.ms", "soon", AlterConfigOp.OpType.SET));
        alter("delete", topic, false, op("segment.bytes", null, AlterConfigOp.OpType.DELETE));
        alter("absent", absent, false, op("retention.ms", "1", AlterConfigOp.OpType.SET));
        ask("describeConfigs of what was set", () -> admin.describeConfigs(List.of(topic)).all().get().get(topic).entries().stream()
            .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG).toList());
        alter("set", broker, false, op("log.cleaner.threads", "2", AlterConfigOp.OpType.SET));
        alter("delete", broker, false, op("log.cleaner.threads", null, AlterConfigOp.OpType.DELETE));
        alter("read only", broker, false, op("log.dirs", "/elsewhere", AlterConfigOp.OpType.SET));
        alter("read only, validated only", broker, true, op("num.partitions", "5", AlterConfigOp.OpType.SET));
        alter("no number", new ConfigResource(ConfigResource.Type.BROKER, "one"), false, op("log.retention.ms", "1000", AlterConfigOp.OpType.SET));
        alter("set", group, false, op("consumer.heartbeat.interval.ms", "6000", AlterConfigOp.OpType.SET));
        alter("refused", group, false, op("consumer.heartbeat.interval.ms", "1", AlterConfigOp.OpType.SET));
        alter("no name", new ConfigResource(ConfigResource.Type.GROUP, ""), false, op("consumer.heartbeat.interval.ms", "6000", AlterConfigOp.OpType.SET));
        alter("set", metrics, false, op("interval.ms", "5000", AlterConfigOp.OpType.SET));
        alter("refused", metrics, false, op("match", "colour=red", AlterConfigOp.OpType.SET));
        alter("set", loggers, false, op("root", "ERROR", AlterConfigOp.OpType.SET));
        alter("refused", loggers, false, op("root", "LOUD", AlterConfigOp.OpType.SET));
        alter("append", loggers, false, op("root", "WARN", AlterConfigOp.OpType.APPEND));
        ask("describeConfigs of a logger", () -> admin.describeConfigs(List.of(loggers)).all().get().get(loggers).get("root"));
        for (ConfigResource.Type type : List.of(ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER, ConfigResource.Type.GROUP,
            ConfigResource.Type.CLIENT_METRICS, ConfigResource.Type.BROKER_LOGGER)) {
            ask("listConfigResources " + type, () -> sorted(admin.listConfigResources(Set.of(type), new ListConfigResourcesOptions()).all().get()));
        }
        ask("listConfigResources", () -> sorted(admin.listConfigResources().all().get()));
        alter("delete", group, false, op("consumer.heartbeat.interval.ms", null, AlterConfigOp.OpType.DELETE));
        alter("delete", metrics, false, op("interval.ms", null, AlterConfigOp.OpType.DELETE));
    }

    private static AlterConfigOp op(String name, String value, AlterConfigOp.OpType type) {
        return new AlterConfigOp(new ConfigEntry(name, value), type);
    }

    private static void alter(String how, ConfigResource resource, boolean isTrial, AlterConfigOp... ops) {
        ask("incrementalAlterConfigs " + resource.type() + ", " + how,
            () -> admin.incrementalAlterConfigs(Map.of(resource, List.of(ops)), new AlterConfigsOptions().validateOnly(isTrial)).values());
    }

    private static void cluster() {
        ask("describeCluster", () -> List.of(admin.describeCluster().nodes(), admin.describeCluster().controller()));
        ask("describeCluster, with what may be done",
            () -> sorted(admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true)).authorizedOperations().get()));
        ask("describeCluster, fenced brokers too", () -> admin.describeCluster(new DescribeClusterOptions().includeFencedBrokers(true)).nodes());
        ask("describeFeatures, finalized", () -> admin.describeFeatures().featureMetadata().get().finalizedFeatures());
        ask("describeFeatures, supported", () -> admin.describeFeatures().featureMetadata().get().supportedFeatures());
        update("metadata.version", 30, FeatureUpdate.UpgradeType.UPGRADE);
        update("metadata.version", 31, FeatureUpdate.UpgradeType.UPGRADE);
        update("metadata.version", 29, FeatureUpdate.UpgradeType.UPGRADE);
        update("metadata.version", 7, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        update("group.version", 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        update("group.version", 0, FeatureUpdate.UpgradeType.UNSAFE_DOWNGRADE);
        update("group.version", 1, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        update("transaction.version", 1, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        update("no.such.feature", 1, FeatureUpdate.UpgradeType.UPGRADE);
        ask("describeMetadataQuorum", () -> {
            QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
            return List.of("leader " + quorum.leaderId(), "voters " + quorum.voters().stream().map(QuorumInfo.ReplicaState::replicaId).toList(),
                "observers " + quorum.observers(), "nodes " + quorum.nodes().keySet());
        });
        ask("unregisterBroker", () -> admin.unregisterBroker(7).all());
        ask("unregisterBroker -1", () -> admin.unregisterBroker(-1).all());
        ask("addRaftVoter", () -> admin.addRaftVoter(7, Uuid.METADATA_TOPIC_ID, Set.of(new RaftVoterEndpoint("CONTROLLER", "127.0.0.1", 9))).all());
        ask("removeRaftVoter", () -> admin.removeRaftVoter(7, Uuid.METADATA_TOPIC_ID).all());
        ask("clientInstanceId", () -> admin.clientInstanceId(Duration.ofSeconds(5)));
    }

    private static void update(String feature, int level, FeatureUpdate.UpgradeType type) {
        ask("updateFeatures " + feature + " to " + level + ", " + type + ", validated only", () -> admin.updateFeatures(
            Map.of(feature, new FeatureUpdate((short) level, type)), new UpdateFeaturesOptions().validateOnly(true)).values());
    }

    private static void directories() throws Exception {
        Map<String, LogDirDescription> found = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
        ask("describeLogDirs", () -> found.values().stream().flatMap(directory -> directory.replicaInfos().entrySet().stream())
            .filter(entry -> entry.getKey().topic().startsWith("asked")).map(entry -> entry.getKey() + " " + entry.getValue()).sorted().toList());
        ask("describeLogDirs, of the whole", () -> found.values().stream().map(directory -> "error " + directory.error() + ", sizes "
            + (directory.totalBytes().isPresent() && directory.usableBytes().isPresent()) + ", cordoned " + directory.isCordoned()).toList());
        TopicPartitionReplica replica = new TopicPartitionReplica("asked", 0, 1);
        TopicPartitionReplica nobody = new TopicPartitionReplica("absent", 0, 1);
        ask("describeReplicaLogDirs", () -> admin.describeReplicaLogDirs(List.of(replica, nobody)).values());
        String here = found.keySet().iterator().next();
        for (String directory : List.of(here, "/nowhere", "relative")) {
            ask("alterReplicaLogDirs to " + directory, () -> admin.alterReplicaLogDirs(Map.of(replica, directory, nobody, directory)).values());
        }
    }

    @SuppressWarnings("removal") // Clients go on calling listConsumerGroups.
    private static void groups() {
        Map<TopicPartition, OffsetAndMetadata> offsets = Map.of(FIRST, new OffsetAndMetadata(5, Optional.of(0), "noted"), SECOND, new OffsetAndMetadata(0));
        ask("alterConsumerGroupOffsets", () -> admin.alterConsumerGroupOffsets("asked-group", offsets).all());
        ask("alterConsumerGroupOffsets of what is not there",
            () -> admin.alterConsumerGroupOffsets("asked-group", Map.of(ABSENT, new OffsetAndMetadata(1))).partitionResult(ABSENT));
        ask("listGroups", () -> admin.listGroups().all());
        for (GroupState state : List.of(GroupState.EMPTY, GroupState.STABLE)) {
            ask("listGroups " + state, () -> admin.listGroups(new ListGroupsOptions().inGroupStates(Set.of(state))).all());
        }
        for (GroupType type : List.of(GroupType.CLASSIC, GroupType.CONSUMER, GroupType.SHARE, GroupType.STREAMS)) {
            ask("listGroups " + type, () -> admin.listGroups(new ListGroupsOptions().withTypes(Set.of(type))).all());
        }
        ask("listConsumerGroups", () -> admin.listConsumerGroups().all());
        ask("listConsumerGroups, consumer", () -> admin.listConsumerGroups(new ListConsumerGroupsOptions().withTypes(Set.of(GroupType.CONSUMER))).all());
        ask("describeConsumerGroups", () -> admin.describeConsumerGroups(List.of("asked-group", "absent", "")).describedGroups());
        ask("describeConsumerGroups, with what may be done", () -> sorted(admin.describeConsumerGroups(List.of("asked-group"),
            new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)).all().get().get("asked-group").authorizedOperations()));
        ask("describeClassicGroups", () -> admin.describeClassicGroups(List.of("asked-group", "absent")).describedGroups());
        ask("listConsumerGroupOffsets", () -> admin.listConsumerGroupOffsets("asked-group").partitionsToOffsetAndMetadata());
        ask("listConsumerGroupOffsets of three partitions", () -> admin.listConsumerGroupOffsets(Map.of("asked-group",
            new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(FIRST, ABSENT, new TopicPartition("asked", 2))))).partitionsToOffsetAndMetadata());
        ask("listConsumerGroupOffsets of two groups, stable", () -> admin.listConsumerGroupOffsets(Map.of("asked-group", new ListConsumerGroupOffsetsSpec(),
            "absent", new ListConsumerGroupOffsetsSpec()), new ListConsumerGroupOffsetsOptions().requireStable(true)).all());
        MemberToRemove member = new MemberToRemove("nobody");
        ask("removeMembersFromConsumerGroup",
            () -> admin.removeMembersFromConsumerGroup("asked-group", new RemoveMembersFromConsumerGroupOptions(Set.of(member))).memberResult(member));
        ask("removeMembersFromConsumerGroup, all", () -> admin.removeMembersFromConsumerGroup("asked-group", new RemoveMembersFromConsumerGroupOptions()).all());
        ask("deleteConsumerGroupOffsets", () -> admin.deleteConsumerGroupOffsets("asked-group", Set.of(SECOND)).partitionResult(SECOND));
        ask("deleteConsumerGroupOffsets of what is not there", () -> admin.deleteConsumerGroupOffsets("asked-group", Set.of(ABSENT)).partitionResult(ABSENT));
        ask("deleteConsumerGroupOffsets of no group", () -> admin.deleteConsumerGroupOffsets("absent", Set.of(FIRST)).partitionResult(FIRST));
        ask("deleteConsumerGroups", () -> admin.deleteConsumerGroups(List.of("asked-group", "absent", "")).deletedGroups());
        ask("describeShareGroups", () -> admin.describeShareGroups(List.of("absent")).describedGroups());
        ask("describeStreamsGroups", () -> admin.describeStreamsGroups(List.of("absent")).describedGroups());
        ask("deleteShareGroups", () -> admin.deleteShareGroups(List.of("absent")).deletedGroups());
        ask("listShareGroupOffsets", () -> admin.listShareGroupOffsets(Map.of("absent", new ListShareGroupOffsetsSpec())).all());
    }

    private static void transactions() {
        ask("listTransactions", () -> admin.listTransactions().allByBrokerId());
        ask("listTransactions, filtered", () -> admin.listTransactions(new ListTransactionsOptions().filterStates(List.of(TransactionState.ONGOING))
            .filterProducerIds(List.of(1L)).filterOnDuration(1000).filterOnTransactionalIdPattern("a.*")).all());
        ask("listTransactions in a state that is none",
            () -> admin.listTransactions(new ListTransactionsOptions().filterStates(List.of(TransactionState.UNKNOWN))).all());
        ask("listTransactions by a bad pattern", () -> admin.listTransactions(new ListTransactionsOptions().filterOnTransactionalIdPattern("(")).all());
        ask("describeTransactions", () -> admin.describeTransactions(List.of("absent")).description("absent"));
        ask("abortTransaction", () -> admin.abortTransaction(new AbortTransactionSpec(FIRST, 4242, (short) 0, 0)).all());
    }

    private static void security() {
        AclBinding binding = new AclBinding(new ResourcePattern(ResourceType.TOPIC, "asked", PatternType.LITERAL),
            new AccessControlEntry("User:a", "*", AclOperation.READ, AclPermissionType.ALLOW));
        ask("describeAcls", () -> admin.describeAcls(AclBindingFilter.ANY).values());
        ask("createAcls", () -> admin.createAcls(List.of(binding)).values());
        ask("deleteAcls", () -> admin.deleteAcls(List.of(binding.toFilter())).values());
        ask("describeClientQuotas", () -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities());
        ask("describeClientQuotas of users", () -> admin.describeClientQuotas(ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("user")))).entities());
        ask("describeClientQuotas of nothing known",
            () -> admin.describeClientQuotas(ClientQuotaFilter.containsOnly(List.of(ClientQuotaFilterComponent.ofEntity("planet", "earth")))).entities());
        ask("alterClientQuotas, validated only", () -> admin.alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(Map.of("user", "a")),
            List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1024.0)))), new AlterClientQuotasOptions().validateOnly(true)).all());
        ask("describeUserScramCredentials", () -> admin.describeUserScramCredentials().users());
        ask("describeUserScramCredentials of two", () -> {
            DescribeUserScramCredentialsResult result = admin.describeUserScramCredentials(List.of("a", "b"));
            return List.of(text(result.users()), text(result.description("a")), text(result.description("b")));
        });
        ask("alterUserScramCredentials", () -> admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion("a", ScramMechanism.SCRAM_SHA_256))).values());
        ask("describeDelegationToken", () -> admin.describeDelegationToken().delegationTokens());
        ask("createDelegationToken", () -> admin.createDelegationToken().delegationToken());
        ask("renewDelegationToken", () -> admin.renewDelegationToken(new byte[] {1}).expiryTimestamp());
        ask("expireDelegationToken", () -> admin.expireDelegationToken(new byte[] {1}).expiryTimestamp());
    }

    private static void end() throws Exception {
        Uuid id = idOf("asked-assigned");
        ask("deleteTopics by id", () -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).topicIdValues().get(id));
        ask("deleteTopics by that id again", () -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).topicIdValues().get(id));
        ask("deleteTopics", () -> admin.deleteTopics(List.of("asked", "asked-default", "absent", "")).topicNameValues());
    }

    private static void ask(String name, Callable<Object> call) {
        List<String> lines = new ArrayList<>();
        try {
            Object answer = call.call();
            if (answer instanceof KafkaFuture<?> future) answer = future.get();
            if (answer instanceof Map<?, ?> map) map.forEach((key, value) -> lines.add(key + ": " + text(value)));
            else if (answer instanceof Collection<?> all) all.forEach(each -> lines.add(text(each)));
            else lines.add(text(answer));
            // Lists come in an order that is meant; other collections do not.
            if (!(answer instanceof List<?>)) lines.sort(null);
        } catch (Exception error) {
            lines.add(words(error));
        }
        System.out.println("$ " + name);
        for (String line : lines) System.out.println("  " + line.replace("\n", "\\n"));
    }

    private static String text(Object answer) {
        if (!(answer instanceof KafkaFuture<?> future)) return String.valueOf(answer);
        try {
            return String.valueOf(future.get());
        } catch (Exception error) {
            return words(error);
        }
    }

    private static String words(Throwable error) {
        Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
        return cause.getClass().getSimpleName() + ": " + cause.getMessage();
    }

    private static List<String> sorted(Collection<?> all) {
        return all == null ? List.of("null") : all.stream().flatMap(each -> Stream.of(String.valueOf(each))).sorted().toList();
    }
}
