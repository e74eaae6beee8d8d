// DescribeUserScramCredentials: who has credentials, by which mechanism and with how many iterations.
// Source: KIP-554.
import { scramCredentials } from '../../metadata/scram-credentials.ts';
import {
  type DescribeUserScramCredentialsResponse,
  describeUserScramCredentialsRequest,
  describeUserScramCredentialsResponse,
} from '../../protocol/apis/describe-user-scram-credentials.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type Result = DescribeUserScramCredentialsResponse['results'][number];

export function describeUserScramCredentialsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { users } = decodeBody(request, describeUserScramCredentialsRequest);
    const known = scramCredentials(context.metadata.image);
    const counts = new Map<string, number>();
    for (const { name } of users ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
    if (counts.size === 0) for (const name of known.keys()) counts.set(name, 1);
    const results = Array.from(counts, ([user, count]): Result => {
      const credentialInfos = known.get(user);
      if (count > 1) {
        const text = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`;
        return { user, errorCode: ERROR.DUPLICATE_RESOURCE, errorMessage: text, credentialInfos: [] };
      }
      if (credentialInfos === undefined) {
        const text = `Attempt to describe a user credential that does not exist: ${user}`;
        return { user, errorCode: ERROR.RESOURCE_NOT_FOUND, errorMessage: text, credentialInfos: [] };
      }
      return { user, errorCode: ERROR.NONE, errorMessage: '', credentialInfos: credentialInfos.map((info) => ({ ...info })) };
    });
    // Kafka's answer has an empty text where there is no error.
    answer(request, describeUserScramCredentialsResponse, { throttleTimeMs: 0, errorCode: ERROR.NONE, errorMessage: '', results });
    return true;
  };
}
