// Consumer groups: members share a topic's partitions, commit, leave, and come back where the group has stopped.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const groupPartitions = 4

func classicGroup(ctx context.Context, broker string, prefix string) error {
	return shareTopic(ctx, broker, prefix, "classic", kgo.Balancers(kgo.CooperativeStickyBalancer()))
}

func consumerGroup(ctx context.Context, broker string, prefix string) error {
	return shareTopic(ctx, broker, prefix, "consumer", kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))
}

// Two members read the first half; one of them and a newcomer read the second half, and nothing twice.
func shareTopic(ctx context.Context, broker string, prefix string, kind string, protocol ...kgo.Opt) error {
	name := prefix + "-" + kind
	if _, err := createTopic(ctx, broker, name, groupPartitions, nil); err != nil {
		return err
	}
	producer, err := open(broker)
	if err != nil {
		return err
	}
	defer producer.Close()
	seen := map[string]int{}
	for round := 1; round <= 2; round++ {
		if err := readRound(ctx, broker, name, producer, seen, round, protocol...); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	admin := kadm.NewClient(producer)
	listed, err := admin.ListGroupsByType(ctx, []string{kind})
	if err != nil {
		return err
	}
	if _, is := listed[name]; !is {
		return fmt.Errorf("%s is no group of type %s: %v", name, kind, listed)
	}
	offsets, err := admin.FetchOffsets(ctx, name)
	if err != nil {
		return err
	}
	for partition := range int32(groupPartitions) {
		if at, _ := offsets.Lookup(name, partition); at.At != 2*perBatch || at.Err != nil {
			return fmt.Errorf("partition %d is committed at %d (%v), not %d", partition, at.At, at.Err, 2*perBatch)
		}
	}
	if deleted, err := admin.DeleteGroups(ctx, name); err != nil || deleted[name].Err != nil {
		return fmt.Errorf("deleting the group: %w, %w", err, deleted[name].Err)
	}
	return nil
}

// Members join until both have partitions; what is produced then is read once, and committed when they leave.
func readRound(ctx context.Context, broker string, name string, producer *kgo.Client, seen map[string]int, round int, protocol ...kgo.Opt) error {
	assigned := make(chan int, 100)
	records := make(chan *kgo.Record, 10*groupPartitions*perBatch)
	problems := make(chan error, 10)
	polls, cancel := context.WithCancel(ctx)
	defer cancel()
	var members []*kgo.Client
	var done []chan struct{}
	for member := 0; member < 2; member++ {
		client, err := open(
			broker,
			append(protocol[:len(protocol):len(protocol)], kgo.ConsumerGroup(name), kgo.ConsumeTopics(name), kgo.DisableAutoCommit(),
				kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
				kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
					if len(added[name]) > 0 {
						assigned <- member
					}
				}))...,
		)
		if err != nil {
			return err
		}
		ended := make(chan struct{})
		members, done = append(members, client), append(done, ended)
		go func() {
			defer close(ended)
			for polls.Err() == nil {
				fetches := client.PollFetches(polls)
				if err := fetches.Err(); err != nil && polls.Err() == nil {
					problems <- err
					return
				}
				for _, record := range fetches.Records() {
					records <- record
				}
			}
		}()
	}
	for has := map[int]bool{}; len(has) < 2; {
		select {
		case member := <-assigned:
			has[member] = true
		case <-ctx.Done():
			return fmt.Errorf("not every member got partitions: %v", has)
		}
	}
	for partition := int32(0); partition < groupPartitions; partition++ {
		if err := producer.ProduceSync(ctx, batchOf(name, partition, fmt.Sprint(round), perBatch)...).FirstErr(); err != nil {
			return err
		}
	}
	for count := 0; count < groupPartitions*perBatch; count++ {
		select {
		case record := <-records:
			who := fmt.Sprintf("%d/%d", record.Partition, record.Offset)
			if seen[who]++; seen[who] > 1 {
				return fmt.Errorf("%s came twice", who)
			}
		case err := <-problems:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%d records came", count)
		}
	}
	cancel()
	for index, member := range members {
		<-done[index]
		commit, stop := context.WithTimeout(ctx, 10*time.Second)
		err := member.CommitUncommittedOffsets(commit)
		stop()
		if err != nil {
			return fmt.Errorf("committing: %w", err)
		}
		member.Close()
	}
	return nil
}
