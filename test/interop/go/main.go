// Runs one scenario of franz-go against a broker: main HOST:PORT SCENARIO PREFIX. Exit code 0, or 1 with what was wrong on stderr.
// But for the scenarios of groups, partitions are assigned directly.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A scenario that takes longer has failed: a broker that leaves a client waiting is wrong, too.
const scenarioTimeout = 45 * time.Second

const firstTimestamp = 1_700_000_000_000

type scenario func(ctx context.Context, broker string, prefix string) error

var scenarios = map[string]scenario{
	"codecs":       produceWithEveryCodec,
	"acks":         produceWithEveryAcks,
	"offsets":      findOffsets,
	"epochs":       startFromLeaderEpoch,
	"tail":         followTail,
	"admin":        administer,
	"classic":      classicGroup,
	"consumer":     consumerGroup,
	"console":      drawConsole,
	"ask":          askEverything,
	"count":        countTraffic,
	"transactions": refuseTransactions,
}

func main() {
	if len(os.Args) != 4 || scenarios[os.Args[2]] == nil {
		fail(fmt.Errorf("usage: %s HOST:PORT SCENARIO PREFIX", os.Args[0]))
	}
	ctx, cancel := context.WithTimeout(context.Background(), scenarioTimeout)
	defer cancel()
	if err := scenarios[os.Args[2]](ctx, os.Args[1], os.Args[3]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// open connects; retries are few, so that a wrong answer shows as an error and not as patience.
func open(broker string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(broker),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequestRetries(5),
	}, opts...)...)
}

func createTopic(ctx context.Context, broker string, topic string, partitions int32, configs map[string]*string) (kadm.CreateTopicResponse, error) {
	client, err := open(broker)
	if err != nil {
		return kadm.CreateTopicResponse{}, err
	}
	defer client.Close()
	response, err := kadm.NewClient(client).CreateTopic(ctx, partitions, 1, configs, topic)
	if err == nil {
		err = response.Err
	}
	return response, err
}

// batchOf makes records that say who they are, with keys, headers and timestamps that must come back as they are.
func batchOf(topic string, partition int32, label string, count int) []*kgo.Record {
	records := make([]*kgo.Record, count)
	for i := range records {
		padding := make([]byte, (i*37)%900)
		for at := range padding {
			padding[at] = byte(i + at)
		}
		records[i] = &kgo.Record{
			Topic:     topic,
			Partition: partition,
			Key:       []byte(label + "/" + strconv.Itoa(i)),
			Value:     append([]byte(fmt.Sprintf("%s/%d/%s/%d/", topic, partition, label, i)), padding...),
			Headers:   []kgo.RecordHeader{{Key: "index", Value: []byte(strconv.Itoa(i))}, {Key: "none", Value: nil}},
			Timestamp: time.UnixMilli(firstTimestamp + int64(i)),
		}
	}
	return records
}

// consume reads `count` records of a partition, beginning where `from` says.
func consume(ctx context.Context, broker string, topic string, partition int32, from kgo.Offset, count int) ([]*kgo.Record, error) {
	client, err := open(broker, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: from}}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return poll(ctx, client, count)
}

func poll(ctx context.Context, client *kgo.Client, count int) ([]*kgo.Record, error) {
	var records []*kgo.Record
	for len(records) < count {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(records), count, err)
		}
		records = append(records, fetches.Records()...)
	}
	if len(records) > count {
		return nil, fmt.Errorf("%d records instead of %d", len(records), count)
	}
	return records, nil
}
