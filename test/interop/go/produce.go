// What is produced comes back byte for byte, with every codec and acks setting.
package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const perBatch = 200

// The numbers are those of a batch's attributes.
var codecs = []struct {
	name   string
	number uint8
	codec  kgo.CompressionCodec
}{
	{"none", 0, kgo.NoCompression()},
	{"gzip", 1, kgo.GzipCompression()},
	{"snappy", 2, kgo.SnappyCompression()},
	{"lz4", 3, kgo.Lz4Compression()},
	{"zstd", 4, kgo.ZstdCompression()},
}

// Idempotent, which is this client's default; two batches a codec, so that sequences go on.
func produceWithEveryCodec(ctx context.Context, broker string, prefix string) error {
	topic := prefix + "-codecs"
	if _, err := createTopic(ctx, broker, topic, 3, nil); err != nil {
		return err
	}
	for partition := range int32(3) {
		var sent []*kgo.Record
		for _, each := range codecs {
			client, err := open(broker, kgo.ProducerBatchCompression(each.codec))
			if err != nil {
				return err
			}
			for _, part := range []string{"first", "second"} {
				batch := batchOf(topic, partition, each.name+"-"+part, perBatch)
				if err := client.ProduceSync(ctx, batch...).FirstErr(); err != nil {
					client.Close()
					return fmt.Errorf("%s: %w", each.name, err)
				}
				sent = append(sent, batch...)
			}
			client.Close()
		}
		got, err := consume(ctx, broker, topic, partition, kgo.NewOffset().AtStart(), len(sent))
		if err != nil {
			return err
		}
		for i, record := range got {
			if err := sameRecord(sent[i], record, int64(i)); err != nil {
				return err
			}
			if each := codecs[i/(2*perBatch)]; record.Attrs.CompressionType() != each.number {
				return fmt.Errorf("offset %d is stored with codec %d, not %s", i, record.Attrs.CompressionType(), each.name)
			}
		}
	}
	return nil
}

func produceWithEveryAcks(ctx context.Context, broker string, prefix string) error {
	topic := prefix + "-acks"
	if _, err := createTopic(ctx, broker, topic, 1, nil); err != nil {
		return err
	}
	var sent []*kgo.Record
	for name, acks := range map[string]kgo.Acks{"none": kgo.NoAck(), "leader": kgo.LeaderAck(), "all": kgo.AllISRAcks()} {
		client, err := open(broker, kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
		if err != nil {
			return err
		}
		batch := batchOf(topic, 0, name, perBatch)
		err = client.ProduceSync(ctx, batch...).FirstErr()
		client.Close()
		if err != nil {
			return fmt.Errorf("acks %s: %w", name, err)
		}
		sent = append(sent, batch...)
		// Before the next producer: without an acknowledgement nothing else says that the records are there.
		got, err := consume(ctx, broker, topic, 0, kgo.NewOffset().AtStart(), len(sent))
		if err != nil {
			return fmt.Errorf("acks %s: %w", name, err)
		}
		for i, record := range got {
			if err := sameRecord(sent[i], record, int64(i)); err != nil {
				return fmt.Errorf("acks %s: %w", name, err)
			}
		}
	}
	return nil
}

func sameRecord(want, got *kgo.Record, offset int64) error {
	isSame := got.Offset == offset && got.Topic == want.Topic && got.Partition == want.Partition &&
		bytes.Equal(got.Key, want.Key) && bytes.Equal(got.Value, want.Value) && got.Timestamp.Equal(want.Timestamp) &&
		len(got.Headers) == len(want.Headers)
	for i := 0; isSame && i < len(want.Headers); i++ {
		isSame = got.Headers[i].Key == want.Headers[i].Key && bytes.Equal(got.Headers[i].Value, want.Headers[i].Value)
	}
	if !isSame {
		return fmt.Errorf("at offset %d stands (offset %d, key %q, %d bytes), sent was key %q with %d bytes",
			offset, got.Offset, got.Key, len(got.Value), want.Key, len(want.Value))
	}
	return nil
}

// Without transactions a transactional producer must hear so at once, as an error that its client does not try again.
func refuseTransactions(ctx context.Context, broker string, prefix string) error {
	client, err := open(broker, kgo.TransactionalID(prefix))
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := createTopic(ctx, broker, prefix+"-transactions", 1, nil); err != nil {
		return err
	}
	err = client.BeginTransaction()
	if err == nil {
		err = client.ProduceSync(ctx, batchOf(prefix+"-transactions", 0, "never", 1)...).FirstErr()
	}
	if err == nil {
		return fmt.Errorf("a transactional record was accepted")
	}
	if ctx.Err() != nil || kerr.IsRetriable(err) {
		return fmt.Errorf("no clear refusal: %w", err)
	}
	fmt.Println(err)
	return nil
}
