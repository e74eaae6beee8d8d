// Scenarios of the raft node: test/raft/testdata/*.txt, a command, `----`, what happened. REWRITE=1 rewrites what happened.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import type { RaftEffect } from '../../src/raft/effects.ts';
import type { RaftEvent } from '../../src/raft/events.ts';
import { NO_NODE } from '../../src/raft/quorum-state.ts';
import { Raft } from '../../src/raft/raft.ts';
import { VoterSet } from '../../src/raft/voter-set.ts';

const TESTDATA = new URL('./testdata/', import.meta.url);
const directoryOf = (nodeId: number): string => `${'ABCDEFGHIJ'[nodeId]}AAAAAAAAAAAAAAAAAAAAA`;

/** Runs the commands of one file against one node, which a `node` command makes anew. */
class Scenario {
  #raft: Raft | null = null;
  #nodeId = 0;

  run(command: string): string {
    const [verb = '', ...words] = command.split(/\s+/);
    const given = new Map(words.map((word) => word.split('=', 2) as [string, string]));
    const number = (name: string, missing = 0): number => Number(given.get(name) ?? missing);
    if (verb === 'node') {
      this.#nodeId = number('id');
      const directoryId = directoryOf(number('disk', this.#nodeId));
      this.#raft = new Raft({ nodeId: this.#nodeId, directoryId, electionTimeoutMs: 1000, random: seededRandom(1) });
    }
    const raft = this.#raft;
    if (raft === null) throw new Error('a scenario begins with `node`');
    const effects = raft.step(this.#event(verb, given, number));
    return [...effects.map(told), `${raft.role} epoch=${raft.epoch} highWatermark=${raft.highWatermark}`].join('\n');
  }

  #event(verb: string, given: ReadonlyMap<string, string>, number: (name: string, missing?: number) => number): RaftEvent {
    const nowMs = number('now');
    switch (verb) {
      case 'node': {
        const ids = (given.get('voters') ?? '').split(',').map(Number);
        const voters = new VoterSet(ids.map((voterId) => ({ voterId, voterDirectoryId: directoryOf(voterId), endpoints: [] })));
        const quorumState = given.has('epoch')
          ? { leaderEpoch: number('epoch'), leaderId: number('leader', NO_NODE), votedId: NO_NODE, votedDirectoryId: directoryOf(0) }
          : null;
        return { type: 'started', nowMs, quorumState, voters, logEndOffset: number('end'), lastEpoch: number('lastEpoch') };
      }
      case 'tick':
        return { type: 'ticked', nowMs };
      case 'append':
        return { type: 'appended', logEndOffset: number('end') };
      case 'flush':
        return { type: 'flushed', endOffset: number('end') };
      case 'vote':
        return { type: 'vote-answered', nowMs, voterId: number('from'), epoch: number('epoch'), isGranted: given.get('granted') === 'yes' };
      case 'fetch':
        return {
          type: 'replica-fetched',
          replicaId: number('from'),
          directoryId: directoryOf(number('disk', number('from'))),
          fetchOffset: number('offset'),
        };
      default:
        throw new Error(`no command ${verb}`);
    }
  }
}

function told(effect: RaftEffect): string {
  switch (effect.type) {
    case 'persist-quorum-state':
      return `persist epoch=${effect.state.leaderEpoch} leader=${effect.state.leaderId} voted=${effect.state.votedId}`;
    case 'request-votes':
      return `request votes epoch=${effect.epoch} of=${effect.voterIds} end=${effect.logEndOffset} lastEpoch=${effect.lastEpoch}`;
    case 'append-leader-change':
      return `append LeaderChange epoch=${effect.epoch} granting=${effect.grantingVoterIds}${effect.isLogEmpty ? ' and the quorum' : ''}`;
    case 'became-leader':
      return `lead epoch=${effect.epoch} from=${effect.epochStartOffset}`;
    case 'committed':
      return `commit below ${effect.endOffset}`;
  }
}

describe('scenarios', () => {
  for (const name of readdirSync(TESTDATA).sort()) {
    test(name.replace('.txt', ''), () => {
      const file = new URL(name, TESTDATA);
      const text = readFileSync(file, 'utf8');
      const scenario = new Scenario();
      const happened = text
        .trimEnd()
        .split('\n\n')
        .map((block) => {
          const [head = ''] = block.split('\n----');
          const command = head
            .split('\n')
            .filter((line) => !line.startsWith('#'))
            .join(' ');
          return `${head}\n----\n${scenario.run(command)}`;
        })
        .join('\n\n');
      if (process.env.REWRITE === '1') writeFileSync(file, `${happened}\n`);
      else expect(`${happened}\n`).toBe(text);
    });
  }
});
