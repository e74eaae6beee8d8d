// What kadm, franz-go's admin client, can ask: each call's answer or error as a line, to be held against what Apache Kafka told it. The broker
// is fresh; each call finds what those before it left.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	asked  = "asked"
	absent = "absent"
)

// tell prints an answer as JSON, whose maps are sorted, one line for each part of it that has a name.
func tell(name string, answer any, err error) {
	fmt.Println("$", name)
	if err != nil {
		fmt.Println("  error:", wordsOf(err))
		return
	}
	text, err := json.Marshal(answer)
	if err != nil {
		fmt.Println("  not to be told:", err)
		return
	}
	parts := map[string]json.RawMessage{}
	if json.Unmarshal(text, &parts) != nil || len(parts) == 0 {
		fmt.Printf("  %s\n", text)
		return
	}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		fmt.Printf("  %s: %s\n", part, parts[part])
	}
}

func wordsOf(err error) string {
	var shards *kadm.ShardErrors
	if errors.As(err, &shards) {
		all := []string{}
		for _, shard := range shards.Errs {
			all = append(all, shard.Err.Error())
		}
		return strings.Join(all, "; ")
	}
	return err.Error()
}

func askEverything(ctx context.Context, broker string, _ string) error {
	// Answers tell errors as they came: nothing is asked twice.
	client, err := open(broker, kgo.RequestRetries(0))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	askTopics(ctx, admin)
	records := batchOf(asked, 0, "asked", 10)
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	askPartitions(ctx, admin)
	askConfigs(ctx, admin)
	askCluster(ctx, client, admin)
	askGroups(ctx, admin)
	askTransactions(ctx, admin)
	askSecurity(ctx, admin)
	deleted, err := admin.DeleteTopics(ctx, asked, absent)
	tell("DeleteTopics", deleted, err)
	return nil
}

func askTopics(ctx context.Context, admin *kadm.Client) {
	one, many, bad := "1048576", "1", "soon"
	create := func(name string, partitions int32, replicas int16, configs map[string]*string, topics ...string) {
		made, err := admin.CreateTopics(ctx, partitions, replicas, configs, topics...)
		tell("CreateTopics "+name, made, err)
	}
	validated, err := admin.ValidateCreateTopics(ctx, 2, 1, nil, asked, "bad name")
	tell("ValidateCreateTopics", validated, err)
	create("asked", 2, 1, map[string]*string{"segment.bytes": &one}, asked)
	create("again", 2, 1, nil, asked)
	create("by default", -1, -1, nil, "asked-default")
	create("wide", 1, 3, nil, "asked-wide")
	create("without partitions", 0, 1, nil, "asked-none")
	create("with a bad value", 1, 1, map[string]*string{"retention.ms": &bad}, "asked-bad")
	create("with an unknown option", 1, 1, map[string]*string{"no.such.option": &many}, "asked-unknown")
	create("without a name", 1, 1, nil, "")
	listed, err := admin.ListTopics(ctx, asked, absent)
	tell("ListTopics", listed, err)
	grown, err := admin.ValidateUpdatePartitions(ctx, 9, asked)
	tell("ValidateUpdatePartitions", grown, err)
	grown, err = admin.UpdatePartitions(ctx, 3, asked, absent)
	tell("UpdatePartitions", grown, err)
	grown, err = admin.UpdatePartitions(ctx, 3, asked)
	tell("UpdatePartitions to what they are", grown, err)
	grown, err = admin.UpdatePartitions(ctx, 1, asked)
	tell("UpdatePartitions to fewer", grown, err)
}

func askPartitions(ctx context.Context, admin *kadm.Client) {
	var both, nowhere kadm.TopicsSet
	both.Add(asked, 0, 1)
	both.Add(absent, 0)
	nowhere.Add(asked, 9)
	for _, each := range []struct {
		name string
		list func(context.Context, ...string) (kadm.ListedOffsets, error)
	}{
		{"ListStartOffsets", admin.ListStartOffsets},
		{"ListEndOffsets", admin.ListEndOffsets},
		{"ListCommittedOffsets", admin.ListCommittedOffsets},
		{"ListMaxTimestampOffsets", admin.ListMaxTimestampOffsets},
		{"ListLocalLogStartOffsets", admin.ListLocalLogStartOffsets},
		{"ListLatestRemoteOffsets", admin.ListLatestRemoteOffsets},
	} {
		offsets, err := each.list(ctx, asked)
		tell(each.name, offsets, err)
	}
	after, err := admin.ListOffsetsAfterMilli(ctx, firstTimestamp+4, asked)
	tell("ListOffsetsAfterMilli", after, err)
	var epochs kadm.OffsetForLeaderEpochRequest
	epochs.Add(asked, 0, 0)
	epochs.Add(asked, 1, 5)
	ends, err := admin.OffsetForLeaderEpoch(ctx, epochs)
	tell("OffsetForLeaderEpoch", ends, err)
	var cut kadm.Offsets
	cut.AddOffset(asked, 0, 4, -1)
	cut.AddOffset(asked, 1, 1000, -1)
	trimmed, err := admin.DeleteRecords(ctx, cut)
	tell("DeleteRecords", trimmed, err)
	elected, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, both)
	tell("ElectLeaders", elected, err)
	elected, err = admin.ElectLeaders(ctx, kadm.ElectLiveReplica, nowhere)
	tell("ElectLeaders of a partition that is not there", elected, err)
	for _, brokers := range [][]int32{{1}, {7}, nil} {
		var moves kadm.AlterPartitionAssignmentsReq
		moves.Assign(asked, 0, brokers)
		moves.Assign(absent, 0, brokers)
		moved, err := admin.AlterPartitionAssignments(ctx, moves)
		tell(fmt.Sprint("AlterPartitionAssignments to ", brokers), moved, err)
	}
	moving, err := admin.ListPartitionReassignments(ctx, both)
	tell("ListPartitionReassignments", moving, err)
}

func askConfigs(ctx context.Context, admin *kadm.Client) {
	value := func(text string) *string { return &text }
	alter := func(name string, configs ...kadm.AlterConfig) {
		altered, err := admin.AlterTopicConfigs(ctx, configs, asked, absent)
		tell("AlterTopicConfigs "+name, altered, err)
	}
	alter("set", kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: value("7000")})
	alter("append", kadm.AlterConfig{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: value("compact")})
	alter("append to no list", kadm.AlterConfig{Op: kadm.AppendConfig, Name: "retention.ms", Value: value("1")})
	alter("subtract", kadm.AlterConfig{Op: kadm.SubtractConfig, Name: "cleanup.policy", Value: value("delete")})
	alter("delete", kadm.AlterConfig{Op: kadm.DeleteConfig, Name: "segment.bytes"})
	alter("refused", kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: value("soon")})
	validated, err := admin.ValidateAlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: value("9000")}}, asked)
	tell("ValidateAlterTopicConfigs", validated, err)
	stated, err := admin.AlterTopicConfigsState(ctx, []kadm.AlterConfig{{Name: "retention.bytes", Value: value("1000")}}, asked)
	tell("AlterTopicConfigsState", stated, err)
	stated, err = admin.ValidateAlterTopicConfigsState(ctx, []kadm.AlterConfig{{Name: "no.such.option", Value: value("1")}}, asked)
	tell("ValidateAlterTopicConfigsState", stated, err)
	described, err := admin.DescribeTopicConfigs(ctx, asked, absent)
	for _, resource := range described {
		slices.SortFunc(resource.Configs, func(one, other kadm.Config) int { return strings.Compare(one.Key, other.Key) })
	}
	tell("DescribeTopicConfigs", described, err)
	altered, err := admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Name: "log.retention.ms", Value: value("60000000")}}, 1)
	tell("AlterBrokerConfigs", altered, err)
	altered, err = admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Name: "num.partitions", Value: value("3")}}, 1)
	tell("AlterBrokerConfigs, read only", altered, err)
	altered, err = admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Op: kadm.DeleteConfig, Name: "log.retention.ms"}}, 1)
	tell("AlterBrokerConfigs, delete", altered, err)
	for _, kind := range []kadm.ConfigResourceType{kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker} {
		resources, err := admin.ListConfigResources(ctx, kind)
		tell(fmt.Sprint("ListConfigResources ", kind), resources.Sorted(), errors.Join(err, resources.Err))
	}
}

func askCluster(ctx context.Context, client *kgo.Client, admin *kadm.Client) {
	for _, name := range []string{"__cluster_metadata", asked} {
		quorum := kmsg.NewPtrDescribeQuorumRequest()
		topic := kmsg.NewDescribeQuorumRequestTopic()
		topic.Topic = name
		topic.Partitions = []kmsg.DescribeQuorumRequestTopicPartition{{Partition: 0}}
		quorum.Topics = []kmsg.DescribeQuorumRequestTopic{topic}
		response, err := quorum.RequestWith(ctx, client)
		tell("DescribeQuorum of "+name, response, err)
	}
	for _, update := range []kadm.FeatureUpdate{
		{Feature: "group.version", MaxVersionLevel: 7, UpgradeType: 1}, {Feature: "no.such.feature", MaxVersionLevel: 1, UpgradeType: 1},
		{Feature: "share.version", MaxVersionLevel: 0, UpgradeType: 2}, {Feature: "metadata.version", MaxVersionLevel: 7, UpgradeType: 2},
		{Feature: "group.version", MaxVersionLevel: 1, UpgradeType: 9},
	} {
		updated, err := admin.UpdateFeatures(ctx, true, update)
		tell(fmt.Sprintf("UpdateFeatures, validated only %+v", update), updated, err)
	}
	var of kadm.TopicsSet
	of.Add(asked, 0)
	of.Add(absent, 0)
	dirs, err := admin.DescribeBrokerLogDirs(ctx, 1, of)
	place := ""
	for name, dir := range dirs {
		place = name
		dir.TotalBytes, dir.UsableBytes = 0, 0
		dirs[name] = dir
	}
	tell("DescribeBrokerLogDirs", dirs, err)
	for _, to := range []string{place, "/nowhere"} {
		var moves kadm.AlterReplicaLogDirsReq
		moves.Add(to, of)
		moved, err := admin.AlterBrokerReplicaLogDirs(ctx, 1, moves)
		tell("AlterBrokerReplicaLogDirs to "+to, moved, err)
	}
}

func askGroups(ctx context.Context, admin *kadm.Client) {
	const group = "asked-group"
	var offsets, wrong kadm.Offsets
	offsets.AddOffset(asked, 0, 5, 0)
	offsets.AddOffset(asked, 1, 0, -1)
	wrong.AddOffset(absent, 0, 1, -1)
	// The first question after a group makes the topic of the offsets, and is answered before that is there.
	for _, err := admin.FetchOffsets(ctx, group); err != nil && ctx.Err() == nil; _, err = admin.FetchOffsets(ctx, group) {
		time.Sleep(100 * time.Millisecond)
	}
	committed, err := admin.CommitOffsets(ctx, group, offsets)
	tell("CommitOffsets", committed, err)
	committed, err = admin.CommitOffsets(ctx, group, wrong)
	tell("CommitOffsets of what is not there", committed, err)
	fetched, err := admin.FetchOffsets(ctx, group)
	tell("FetchOffsets", fetched, err)
	fetched, err = admin.FetchOffsetsForTopics(ctx, group, asked, absent)
	tell("FetchOffsetsForTopics", fetched, err)
	tell("FetchManyOffsets", admin.FetchManyOffsets(ctx, group, absent), nil)
	listed, err := admin.ListGroups(ctx)
	tell("ListGroups", listed, err)
	listed, err = admin.ListGroups(ctx, "Stable")
	tell("ListGroups that are stable", listed, err)
	listed, err = admin.ListGroupsByType(ctx, []string{"share"})
	tell("ListGroupsByType share", listed, err)
	described, err := admin.DescribeGroups(ctx, group, absent)
	tell("DescribeGroups", described, err)
	consumers, err := admin.DescribeConsumerGroups(ctx, group, absent)
	tell("DescribeConsumerGroups", consumers, err)
	left, err := admin.LeaveGroup(ctx, kadm.LeaveGroup(group).Reason("asked").InstanceIDs("nobody"))
	tell("LeaveGroup", left, err)
	var second, nowhere kadm.TopicsSet
	second.Add(asked, 1)
	nowhere.Add(absent, 0)
	deleted, err := admin.DeleteOffsets(ctx, group, second)
	tell("DeleteOffsets", deleted, err)
	deleted, err = admin.DeleteOffsets(ctx, group, nowhere)
	tell("DeleteOffsets of what is not there", deleted, err)
	deleted, err = admin.DeleteOffsets(ctx, absent, second)
	tell("DeleteOffsets of no group", deleted, err)
	gone, err := admin.DeleteGroups(ctx, group, absent)
	tell("DeleteGroups", gone, err)
	tell("FindGroupCoordinators", admin.FindGroupCoordinators(ctx, group, ""), nil)
}

func askTransactions(ctx context.Context, admin *kadm.Client) {
	var of kadm.TopicsSet
	of.Add(asked, 1)
	producers, err := admin.DescribeProducers(ctx, of)
	tell("DescribeProducers", producers, err)
	found, err := admin.ListTransactions(ctx, []int64{1}, []string{"Ongoing"})
	tell("ListTransactions", found, err)
	found, err = admin.ListTransactionsByTxPattern(ctx, nil, nil, "a.*")
	tell("ListTransactionsByTxPattern", found, err)
	found, err = admin.ListTransactionsByTxPattern(ctx, nil, nil, "(")
	tell("ListTransactionsByTxPattern, a bad one", found, err)
}

func askSecurity(ctx context.Context, admin *kadm.Client) {
	read := kadm.NewACLs().Topics(asked).Allow("User:a").AllowHosts("*").Operations(kadm.OpRead)
	created, err := admin.CreateACLs(ctx, read)
	tell("CreateACLs", created, err)
	deleted, err := admin.DeleteACLs(ctx, read)
	tell("DeleteACLs", deleted, err)
	described, err := admin.DescribeACLs(ctx, read)
	tell("DescribeACLs", described, err)
	users, err := admin.DescribeUserSCRAMs(ctx, "a")
	tell("DescribeUserSCRAMs", users, err)
	user := "a"
	quotas, err := admin.DescribeClientQuotas(ctx, true, []kadm.DescribeClientQuotaComponent{{Type: "user", MatchName: &user, MatchType: kmsg.QuotasMatchTypeExact}})
	tell("DescribeClientQuotas", quotas, err)
	quotas, err = admin.DescribeClientQuotas(ctx, false, []kadm.DescribeClientQuotaComponent{{Type: "planet", MatchType: kmsg.QuotasMatchTypeAny}})
	tell("DescribeClientQuotas of nothing known", quotas, err)
}
