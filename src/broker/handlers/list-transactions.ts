// ListTransactions: there are none, since nobody can begin one here yet. What was asked is still checked, so that a mistake in it is told.
// Source: KIP-664, KIP-994 (durations), KIP-1152 (patterns, in RE2's syntax).
import { listTransactionsRequest, listTransactionsResponse } from '../../protocol/apis/list-transactions.ts';
import { ERROR } from '../../protocol/errors.ts';
import { regexes } from '../regex-engine.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const STATES: ReadonlySet<string> = new Set([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]);

export function listTransactionsHandler(): Handler {
  return (request) => {
    const { stateFilters, transactionalIdPattern } = decodeBody(request, listTransactionsRequest);
    const isPattern = (transactionalIdPattern ?? '') === '' || 'regex' in regexes.compile(transactionalIdPattern ?? '');
    answer(request, listTransactionsResponse, {
      throttleTimeMs: 0,
      errorCode: isPattern ? ERROR.NONE : ERROR.INVALID_REGULAR_EXPRESSION,
      unknownStateFilters: isPattern ? [...new Set(stateFilters)].filter((state) => !STATES.has(state)) : [],
      transactionStates: [],
    });
    return true;
  };
}
