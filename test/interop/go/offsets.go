// Offsets by time and by name, leader epochs, waiting at the tail, and topics from their creation to their deletion.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func findOffsets(ctx context.Context, broker string, prefix string) error {
	topic := prefix + "-offsets"
	if _, err := createTopic(ctx, broker, topic, 1, nil); err != nil {
		return err
	}
	client, err := open(broker, kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	if err != nil {
		return err
	}
	defer client.Close()
	sent := batchOf(topic, 0, "one-batch", perBatch)
	if err := client.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		return err
	}
	// In the middle of a batch: the broker sends all of it, the client shows what was asked for.
	got, err := consume(ctx, broker, topic, 0, kgo.NewOffset().At(perBatch/2), perBatch/2)
	if err != nil {
		return err
	}
	if err := sameRecord(sent[perBatch/2], got[0], perBatch/2); err != nil {
		return err
	}
	admin := kadm.NewClient(client)
	list := func(name string, want int64, ask func() (kadm.ListedOffsets, error)) error {
		listed, err := ask()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		one, _ := listed.Lookup(topic, 0)
		if one.Err != nil || one.Offset != want {
			return fmt.Errorf("%s: offset %d (%v), not %d", name, one.Offset, one.Err, want)
		}
		return nil
	}
	millis := sent[0].Timestamp.UnixMilli()
	return errors.Join(
		list("start", 0, func() (kadm.ListedOffsets, error) { return admin.ListStartOffsets(ctx, topic) }),
		list("end", perBatch, func() (kadm.ListedOffsets, error) { return admin.ListEndOffsets(ctx, topic) }),
		list("committed", perBatch, func() (kadm.ListedOffsets, error) { return admin.ListCommittedOffsets(ctx, topic) }),
		list("by time", 77, func() (kadm.ListedOffsets, error) { return admin.ListOffsetsAfterMilli(ctx, millis+77, topic) }),
		list("after all", perBatch, func() (kadm.ListedOffsets, error) { return admin.ListOffsetsAfterMilli(ctx, millis+perBatch, topic) }),
		list("largest timestamp", perBatch-1, func() (kadm.ListedOffsets, error) { return admin.ListMaxTimestampOffsets(ctx, topic) }),
	)
}

// A consumer that comes with an offset and its epoch asks OffsetForLeaderEpoch before it reads.
func startFromLeaderEpoch(ctx context.Context, broker string, prefix string) error {
	topic := prefix + "-epochs"
	if _, err := createTopic(ctx, broker, topic, 1, nil); err != nil {
		return err
	}
	client, err := open(broker)
	if err != nil {
		return err
	}
	defer client.Close()
	sent := batchOf(topic, 0, "epoch", 10)
	if err := client.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		return err
	}
	first, err := consume(ctx, broker, topic, 0, kgo.NewOffset().AtStart(), 10)
	if err != nil {
		return err
	}
	epoch := first[0].LeaderEpoch
	got, err := consume(ctx, broker, topic, 0, kgo.NewOffset().At(4).WithEpoch(epoch), 6)
	if err != nil {
		return err
	}
	if err := sameRecord(sent[4], got[0], 4); err != nil {
		return err
	}
	var request kadm.OffsetForLeaderEpochRequest
	request.Add(topic, 0, epoch)
	ends, err := kadm.NewClient(client).OffsetForLeaderEpoch(ctx, request)
	if err != nil {
		return err
	}
	if end := ends[topic][0]; end.Err != nil || end.EndOffset != 10 || end.LeaderEpoch != epoch {
		return fmt.Errorf("epoch %d ends at %d (epoch %d, %v)", epoch, end.EndOffset, end.LeaderEpoch, end.Err)
	}
	return nil
}

// One record at a time: a consumer that waits at the tail hears of each long before its wait is over.
func followTail(ctx context.Context, broker string, prefix string) error {
	const wait = 20 * time.Second
	topic := prefix + "-tail"
	if _, err := createTopic(ctx, broker, topic, 2, nil); err != nil {
		return err
	}
	// An exact offset: with offsets to look up the client fetches the partition it hears of first, alone.
	tail := kgo.NewOffset().At(0)
	consumer, err := open(broker, kgo.FetchMaxWait(wait), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: tail, 1: tail}}))
	if err != nil {
		return err
	}
	defer consumer.Close()
	producer, err := open(broker, kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer producer.Close()
	started := time.Now()
	for i := range 50 {
		sent := batchOf(topic, int32(i%2), fmt.Sprint(i), 1)
		if err := producer.ProduceSync(ctx, sent...).FirstErr(); err != nil {
			return err
		}
		got, err := poll(ctx, consumer, 1)
		if err != nil {
			return err
		}
		if err := sameRecord(sent[0], got[0], int64(i/2)); err != nil {
			return err
		}
	}
	if took := time.Since(started); took > wait/2 {
		return fmt.Errorf("50 records took %v: fetches waited although there was something to send", took)
	}
	return nil
}

func administer(ctx context.Context, broker string, prefix string) error {
	topic := prefix + "-admin"
	segmentBytes := "1048576"
	created, err := createTopic(ctx, broker, topic, 4, map[string]*string{"segment.bytes": &segmentBytes})
	if err != nil {
		return err
	}
	if _, err := createTopic(ctx, broker, topic, 4, nil); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("created twice: %w", err)
	}
	client, err := open(broker)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	details, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	if found := details[topic]; found.Err != nil || len(found.Partitions) != 4 || found.ID != created.ID {
		return fmt.Errorf("listed as %+v, created as %+v", found, created)
	}
	configs, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return err
	}
	resource, err := configs.On(topic, nil)
	if err != nil || resource.Err != nil {
		return errors.Join(err, resource.Err)
	}
	found := map[string]string{}
	for _, config := range resource.Configs {
		found[config.Key] = config.MaybeValue()
	}
	if found["segment.bytes"] != segmentBytes || found["retention.ms"] != "604800000" {
		return fmt.Errorf("described as %v", found)
	}
	cluster, err := admin.BrokerMetadata(ctx)
	if err != nil || len(cluster.Brokers) != 1 || cluster.Cluster == "" {
		return fmt.Errorf("cluster %+v: %w", cluster, err)
	}
	deleted, err := admin.DeleteTopic(ctx, topic)
	if err != nil || deleted.Err != nil {
		return errors.Join(err, deleted.Err)
	}
	if again, err := createTopic(ctx, broker, topic, 1, nil); err != nil || again.ID == created.ID {
		return fmt.Errorf("created again as %v: %w", again.ID, err)
	}
	return nil
}
