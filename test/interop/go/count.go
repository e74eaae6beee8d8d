// Traffic whose sums this client knows by itself, printed as one line of JSON when all is over: what a broker's metrics are held against.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	countedPartitions = 4
	countedBatches    = 50
	countedRecords    = 7
)

// sums are kept by the client's hooks, by API key; they see each request as it is written and each response as it is read, size fields included.
type sums struct {
	mutex       sync.Mutex
	Requests    map[int16]int
	Written     map[int16]int
	Read        map[int16]int
	Connections int
	Records     int
	Errors      map[string]int
	underWay    int
}

func (s *sums) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err == nil {
		s.Connections++
	}
}

func (s *sums) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, bytes int, _, _ time.Duration, _ error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.Requests[key]++
	s.Written[key] += bytes
	s.underWay++
}

func (s *sums) OnBrokerRead(_ kgo.BrokerMetadata, key int16, bytes int, _, _ time.Duration, _ error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.Read[key] += bytes
	s.underWay--
}

func (s *sums) isQuiet() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.underWay == 0
}

func countTraffic(ctx context.Context, broker string, prefix string) error {
	topic := prefix + "-counted"
	all := &sums{Requests: map[int16]int{}, Written: map[int16]int{}, Read: map[int16]int{}, Errors: map[string]int{}}
	// Fetches that wait are short, so that there is a moment without one.
	client, err := open(
		broker, kgo.WithHooks(all), kgo.FetchMaxWait(100*time.Millisecond), kgo.RequestRetries(0),
		kgo.ProducerBatchMaxBytes(4_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for _, isFirst := range []bool{true, false} {
		made, err := admin.CreateTopics(ctx, countedPartitions, 1, nil, topic)
		if err == nil {
			err = made[topic].Err
		}
		if isFirst && err != nil || !isFirst && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("creating: %w", err)
		}
	}
	all.Errors["CreateTopics TOPIC_ALREADY_EXISTS"] = 1
	for batch := range countedBatches {
		for partition := range int32(countedPartitions) {
			if err := client.ProduceSync(ctx, batchOf(topic, partition, fmt.Sprint(batch), countedRecords)...).FirstErr(); err != nil {
				return err
			}
			all.Records += countedRecords
		}
	}
	large := &kgo.Record{Topic: topic, Value: make([]byte, 2_000_000)}
	if err := client.ProduceSync(ctx, large).FirstErr(); !errors.Is(err, kerr.MessageTooLarge) {
		return fmt.Errorf("a record that is too large: %w", err)
	}
	all.Errors["Produce MESSAGE_TOO_LARGE"] = 1
	var beyond kadm.Offsets
	beyond.AddOffset(topic, 0, 1_000_000, -1)
	if trimmed, err := admin.DeleteRecords(ctx, beyond); err != nil || !errors.Is(trimmed.Error(), kerr.OffsetOutOfRange) {
		return fmt.Errorf("deleting what is not there: %w, %w", err, trimmed.Error())
	}
	all.Errors["DeleteRecords OFFSET_OUT_OF_RANGE"] = 1
	partitions := map[int32]kgo.Offset{}
	for partition := range int32(countedPartitions) {
		partitions[partition] = kgo.NewOffset().AtStart()
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: partitions})
	if _, err := poll(ctx, client, all.Records); err != nil {
		return err
	}
	client.PauseFetchTopics(topic)
	untilQuiet(ctx, all)
	client.Close() // Which ends the fetch session by one more request.
	untilQuiet(ctx, all)
	// Each connection begins with ApiVersions, of a newer version first: what came besides was asked again after a refusal.
	if refused := all.Requests[kmsg.ApiVersions.Int16()] - all.Connections; refused > 0 {
		all.Errors["ApiVersions UNSUPPORTED_VERSION"] = refused
	}
	text, err := json.Marshal(all)
	fmt.Println(string(text))
	return err
}

func untilQuiet(ctx context.Context, all *sums) {
	for !all.isQuiet() && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
}
