// DescribeLogDirs: KIP-113 · v1 the oldest since Kafka 4.0 · v2 flexible · v3 error of the whole · v4 sizes of the volumes (KIP-827) · v5 cordoned directories (KIP-1066)
// Pure.
import { array, bool, int16, int32, int64, type MessageOf, nullableArray, request, response, string } from '../schema.ts';

export const describeLogDirsRequest = request({
  name: 'DescribeLogDirs',
  apiKey: 35,
  versions: [1, 5],
  flexibleSince: 2,
  fields: { topics: nullableArray({ topic: string(), partitions: array(int32()) }) },
});
export type DescribeLogDirsRequest = MessageOf<typeof describeLogDirsRequest>;

export const describeLogDirsResponse = response({
  name: 'DescribeLogDirs',
  apiKey: 35,
  versions: [1, 5],
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16({ since: 3, ignorable: true }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({ partitionIndex: int32(), partitionSize: int64(), offsetLag: int64(), isFutureKey: bool() }),
      }),
      totalBytes: int64({ since: 4, ignorable: true, default: -1 }),
      usableBytes: int64({ since: 4, ignorable: true, default: -1 }),
      isCordoned: bool({ since: 5, ignorable: true }),
    }),
  },
});
export type DescribeLogDirsResponse = MessageOf<typeof describeLogDirsResponse>;
