// What a console asks to draw its pages: the cluster, topics, configurations, groups with their lag, log directories, ACLs, users and
// quotas. Each answer is looked at, since a page that is empty without an error is wrong, too.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	consolePartitions = 3
	committedAt       = perBatch / 2
)

func drawConsole(ctx context.Context, broker string, prefix string) error {
	topic, group := prefix+"-console", prefix+"-readers"
	retention := "7000000"
	if _, err := createTopic(ctx, broker, topic, consolePartitions, map[string]*string{"retention.ms": &retention}); err != nil {
		return err
	}
	client, err := open(broker)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	var offsets kadm.Offsets
	for partition := range int32(consolePartitions) {
		if err := client.ProduceSync(ctx, batchOf(topic, partition, "console", perBatch)...).FirstErr(); err != nil {
			return err
		}
		offsets.AddOffset(topic, partition, committedAt, -1)
	}
	if committed, err := admin.CommitOffsets(ctx, group, offsets); err != nil || committed.Error() != nil {
		return fmt.Errorf("committing: %w", errors.Join(err, committed.Error()))
	}
	page := func(name string, draw func() error) error {
		if err := draw(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return errors.Join(
		page("cluster", func() error { return clusterPage(ctx, admin) }),
		page("topic", func() error { return topicPage(ctx, admin, topic) }),
		page("configurations", func() error { return configPage(ctx, admin, topic, retention) }),
		page("group", func() error { return groupPage(ctx, admin, topic, group) }),
		page("log directories", func() error { return logDirPage(ctx, admin, topic) }),
		page("security", func() error { return securityPage(ctx, admin) }),
		page("transactions", func() error { return transactionPage(ctx, admin, topic) }),
	)
}

func clusterPage(ctx context.Context, admin *kadm.Client) error {
	cluster, err := admin.BrokerMetadata(ctx)
	if err != nil || len(cluster.Brokers) != 1 || cluster.Cluster == "" || cluster.Controller != cluster.Brokers[0].NodeID {
		return fmt.Errorf("described as %+v: %w", cluster, err)
	}
	versions, err := admin.ApiVersions(ctx)
	if err != nil {
		return err
	}
	for _, node := range versions {
		if highest, has := node.KeyMaxVersion(1); node.Err != nil || !has || highest < 18 {
			return fmt.Errorf("Fetch goes to %d (%w)", highest, node.Err)
		}
	}
	moves, err := admin.ListPartitionReassignments(ctx, nil)
	if err != nil || len(moves) != 0 {
		return fmt.Errorf("reassignments %v: %w", moves, err)
	}
	return nil
}

func topicPage(ctx context.Context, admin *kadm.Client, topic string) error {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	found := topics[topic]
	if found.Err != nil || found.IsInternal || len(found.Partitions) != consolePartitions {
		return fmt.Errorf("listed as %+v", found)
	}
	for _, partition := range found.Partitions {
		if partition.Err != nil || len(partition.Replicas) != 1 || len(partition.ISR) != 1 || partition.Leader != partition.ISR[0] {
			return fmt.Errorf("partition %+v", partition)
		}
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for partition := range int32(consolePartitions) {
		if end, _ := ends.Lookup(topic, partition); end.Err != nil || end.Offset != perBatch {
			return fmt.Errorf("partition %d ends at %d: %w", partition, end.Offset, end.Err)
		}
	}
	return nil
}

func configPage(ctx context.Context, admin *kadm.Client, topic string, retention string) error {
	ofTopic, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return err
	}
	resource, err := ofTopic.On(topic, nil)
	if err := errors.Join(err, resource.Err); err != nil {
		return err
	}
	if value, source := configOf(resource, "retention.ms"); value != retention || source != "DYNAMIC_TOPIC_CONFIG" {
		return fmt.Errorf("retention.ms of the topic is %s, from %s", value, source)
	}
	nodes, err := admin.ListBrokers(ctx)
	if err != nil || len(nodes) != 1 {
		return fmt.Errorf("brokers %v: %w", nodes, err)
	}
	ofBroker, err := admin.DescribeBrokerConfigs(ctx, nodes[0].NodeID)
	if err != nil || len(ofBroker) != 1 || ofBroker[0].Err != nil {
		return fmt.Errorf("configurations of the broker %v: %w", ofBroker, err)
	}
	if value, source := configOf(ofBroker[0], "message.max.bytes"); value != "1048588" || source != "DEFAULT_CONFIG" {
		return fmt.Errorf("message.max.bytes of the broker is %s, from %s", value, source)
	}
	return nil
}

func configOf(resource kadm.ResourceConfig, name string) (value string, source string) {
	for _, config := range resource.Configs {
		if config.Key == name {
			return config.MaybeValue(), config.Source.String()
		}
	}
	return "", "nowhere"
}

func groupPage(ctx context.Context, admin *kadm.Client, topic string, group string) error {
	listed, err := admin.ListGroups(ctx)
	if err != nil || listed[group].State != "Empty" {
		return fmt.Errorf("listed as %+v: %w", listed[group], err)
	}
	described, err := admin.DescribeGroups(ctx, group)
	if err != nil || described[group].Err != nil || described[group].State != "Empty" || len(described[group].Members) != 0 {
		return fmt.Errorf("described as %+v: %w", described[group], err)
	}
	lags, err := admin.Lag(ctx, group)
	lag := lags[group]
	if err := errors.Join(err, lag.Error()); err != nil {
		return fmt.Errorf("lag: %w", err)
	}
	if total := lag.Lag.Total(); total != consolePartitions*(perBatch-committedAt) {
		return fmt.Errorf("a lag of %d", total)
	}
	fetched, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return err
	}
	for partition := range int32(consolePartitions) {
		if at, has := fetched.Lookup(topic, partition); !has || at.Err != nil || at.At != committedAt {
			return fmt.Errorf("partition %d is committed at %d: %w", partition, at.At, at.Err)
		}
	}
	return nil
}

func logDirPage(ctx context.Context, admin *kadm.Client, topic string) error {
	nodes, err := admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return err
	}
	partitions := 0
	for _, dirs := range nodes {
		for _, dir := range dirs {
			if dir.Err != nil || dir.TotalBytes <= 0 || dir.UsableBytes <= 0 || dir.UsableBytes > dir.TotalBytes || dir.IsCordoned {
				return fmt.Errorf("directory %s with %d of %d bytes: %w", dir.Dir, dir.UsableBytes, dir.TotalBytes, dir.Err)
			}
			for _, partition := range dir.Topics[topic] {
				partitions++
				if partition.Size <= 0 || partition.OffsetLag != 0 || partition.IsFuture {
					return fmt.Errorf("partition %+v", partition)
				}
			}
		}
	}
	if partitions != consolePartitions {
		return fmt.Errorf("%d partitions of the topic", partitions)
	}
	return nil
}

// Without an authorizer and without users: a console is to say so, not to fail.
func securityPage(ctx context.Context, admin *kadm.Client) error {
	every := kadm.NewACLs().AnyResource().Allow().AllowHosts().Deny().DenyHosts().Operations().ResourcePatternType(kadm.ACLPatternAny)
	acls, err := admin.DescribeACLs(ctx, every)
	if err != nil || len(acls) == 0 {
		return fmt.Errorf("%d answers: %w", len(acls), err)
	}
	for _, acl := range acls {
		if !errors.Is(acl.Err, kerr.SecurityDisabled) {
			return fmt.Errorf("ACLs: %w", acl.Err)
		}
	}
	users, err := admin.DescribeUserSCRAMs(ctx)
	if err != nil || len(users) != 0 {
		return fmt.Errorf("users %v: %w", users, err)
	}
	quotas, err := admin.DescribeClientQuotas(ctx, false, nil)
	if err != nil || len(quotas) != 0 {
		return fmt.Errorf("quotas %v: %w", quotas, err)
	}
	return nil
}

func transactionPage(ctx context.Context, admin *kadm.Client, topic string) error {
	transactions, err := admin.ListTransactions(ctx, nil, nil)
	if err != nil || len(transactions) != 0 {
		return fmt.Errorf("transactions %v: %w", transactions, err)
	}
	var of kadm.TopicsSet
	of.Add(topic, 0)
	producers, err := admin.DescribeProducers(ctx, of)
	if err != nil {
		return err
	}
	partition := producers[topic].Partitions[0]
	if partition.Err != nil || len(partition.ActiveProducers) != 1 {
		return fmt.Errorf("producers %+v: %w", partition.ActiveProducers, partition.Err)
	}
	for _, producer := range partition.ActiveProducers {
		if producer.LastSequence != perBatch-1 || producer.CurrentTxnStartOffset != -1 {
			return fmt.Errorf("producer %+v", producer)
		}
	}
	return nil
}
