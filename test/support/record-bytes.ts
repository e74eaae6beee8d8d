// A coordinator's record as bytes of its own, one for the key and one for the value.
import { ByteWriter } from '../../src/base/byte-writer.ts';
import type { RecordFormat } from '../../src/protocol/records/batch-builder.ts';

export interface RecordBytes {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export function encodeRecord<T>(format: RecordFormat<T>, record: T): RecordBytes {
  const valueBytes = format.valueBytes(record);
  return {
    key: written(format.keyBytes(record), (writer) => format.writeKey(record, writer)),
    value: valueBytes < 0 ? null : written(valueBytes, (writer) => format.writeValue(record, writer)),
  };
}

function written(sizeBytes: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(sizeBytes));
  write(writer);
  if (writer.position !== sizeBytes) throw new Error(`${writer.position} bytes were written, ${sizeBytes} were told`);
  return writer.bytes;
}
