// Java clients that live while the broker behind their address is replaced: idempotent producers, one for each codec, whose sequences go on at the next
// broker; besides them transactions, readers and a group. Run with the address of the broker.
// Reads a command a line on stdin, fields with tabs between them, the records of a command in the lines behind it:
//   produce CODEC TOPIC COUNT, then COUNT lines: partition, timestamp, key, value, headers
//   transaction ID commit|abort TOPIC COUNT, then as above
//   read ISOLATION TOPIC: prints a line for each record: partition, offset, C or L (who set the timestamp), timestamp, key, value, headers
//   group GROUP TOPIC COUNT: as above, of at least COUNT records behind those that the group has read, which it commits
// Ends each with a line "done" or "failed REASON". Text is Latin-1, so that any byte can be in it; "~" is null; headers are NAME=VALUE, ";" behind each.
import java.io.BufferedReader;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class ExchangeClient {
    private static final Charset TEXT = StandardCharsets.ISO_8859_1;
    private static final long WAIT_MS = 60_000;
    private static final Map<String, KafkaProducer<byte[], byte[]>> PRODUCERS = new HashMap<>();
    private static BufferedReader commands;
    private static PrintStream out;
    private static String address;

    public static void main(String[] args) throws Exception {
        address = args[0];
        commands = new BufferedReader(new InputStreamReader(System.in, TEXT), 1 << 16);
        out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16), false, TEXT);
        for (String command = commands.readLine(); command != null; command = commands.readLine()) {
            try {
                run(command.split("\t", -1));
                out.print("done\n");
            } catch (Exception error) {
                out.print("failed " + String.valueOf(error).replace('\n', ' ') + "\n");
            }
            out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static void run(String[] command) throws Exception {
        switch (command[0]) {
            case "produce" -> {
                List<ProducerRecord<byte[], byte[]>> records = records(command[2], Integer.parseInt(command[3]));
                send(PRODUCERS.computeIfAbsent(command[1], codec -> producer(Map.of("compression.type", codec))), records);
            }
            case "transaction" -> {
                List<ProducerRecord<byte[], byte[]>> records = records(command[3], Integer.parseInt(command[4]));
                try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("transactional.id", command[1]))) {
                    producer.initTransactions();
                    producer.beginTransaction();
                    send(producer, records);
                    if (command[2].equals("commit")) producer.commitTransaction();
                    else producer.abortTransaction();
                }
            }
            case "read" -> read(command[1], command[2]);
            case "group" -> readInGroup(command[1], command[2], Integer.parseInt(command[3]));
            default -> throw new IllegalArgumentException("no command " + command[0]);
        }
    }

    private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", address, "acks", "all", "enable.idempotence", true, "linger.ms", 5));
        settings.put("reconnect.backoff.max.ms", 500);
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static List<ProducerRecord<byte[], byte[]>> records(String topic, int count) throws Exception {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String[] fields = commands.readLine().split("\t", -1);
            List<Header> headers = new ArrayList<>();
            for (String header : fields[4].split(";")) {
                if (header.isEmpty()) continue;
                int at = header.indexOf('=');
                headers.add(new RecordHeader(header.substring(0, at), bytes(header.substring(at + 1))));
            }
            records.add(new ProducerRecord<>(topic, Integer.valueOf(fields[0]), Long.valueOf(fields[1]), bytes(fields[2]), bytes(fields[3]), headers));
        }
        return records;
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, List<ProducerRecord<byte[], byte[]>> records) throws Exception {
        List<Future<RecordMetadata>> answers = new ArrayList<>(records.size());
        for (ProducerRecord<byte[], byte[]> record : records) answers.add(producer.send(record));
        producer.flush();
        for (Future<RecordMetadata> answer : answers) answer.get(WAIT_MS, TimeUnit.MILLISECONDS);
    }

    private static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", address, "enable.auto.commit", false));
        settings.putAll(more);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static void read(String isolation, String topic) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("isolation.level", isolation, "auto.offset.reset", "none"))) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream().map(each -> new TopicPartition(topic, each.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long deadline = System.currentTimeMillis() + WAIT_MS;
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
                if (System.currentTimeMillis() > deadline) throw new IllegalStateException("not read to the end within " + WAIT_MS + " ms");
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) print(record);
            }
        }
    }

    private static void readInGroup(String group, String topic, int count) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("group.id", group, "auto.offset.reset", "earliest"))) {
            consumer.subscribe(List.of(topic));
            long deadline = System.currentTimeMillis() + WAIT_MS;
            for (int seen = 0; seen < count; ) {
                if (System.currentTimeMillis() > deadline) throw new IllegalStateException(seen + " records within " + WAIT_MS + " ms");
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    print(record);
                    seen++;
                }
            }
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (TopicPartition each : consumer.assignment()) offsets.put(each, new OffsetAndMetadata(consumer.position(each), "of " + each));
            consumer.commitSync(offsets);
        }
    }

    private static void print(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder line = new StringBuilder();
        line.append(record.partition()).append('\t').append(record.offset()).append('\t');
        line.append(record.timestampType() == TimestampType.LOG_APPEND_TIME ? 'L' : 'C').append('\t').append(record.timestamp()).append('\t');
        line.append(text(record.key())).append('\t').append(text(record.value())).append('\t');
        for (Header header : record.headers()) line.append(header.key()).append('=').append(text(header.value())).append(';');
        out.print(line.append('\n'));
    }

    private static byte[] bytes(String text) {
        return text.equals("~") ? null : text.getBytes(TEXT);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "~" : new String(bytes, TEXT);
    }
}
