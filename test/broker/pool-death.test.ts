// A pool thread that dies under a job, or whose job fails in a way that nobody has thought of: the produces that it had are refused with an error of
// Kafka's, those that wait behind them are taken, and so is what comes later. The broker and its other connections go on.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ERROR } from '../../src/protocol/errors.ts';
import { COMPRESSION } from '../../src/protocol/records/batch.ts';
import { labelled, labels } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { Bystander } from '../support/bystander.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const BATCHES = 24;

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** Preloaded into all threads: the next batch that any of them compresses with zstd, once there is a mark, meets what the mark is called after. */
function sabotage(): { readonly prelude: string; readonly next: (what: 'exit' | 'throw') => void; readonly isPending: () => boolean } {
  const directory = mkdtempSync(join(tmpdir(), 'naru-pool-'));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  const [script, exit, fault] = ['sabotage.cjs', 'exit', 'throw'].map((name) => join(directory, name)) as [string, string, string];
  writeFileSync(
    script,
    `const fs = require('node:fs');
     const zlib = require('node:zlib');
     const { zstdCompressSync } = zlib;
     const isMarked = (mark) => { try { fs.rmSync(mark); return true; } catch { return false; } };
     zlib.zstdCompressSync = (...given) => {
       if (isMarked(${JSON.stringify(exit)})) process.exit(3);
       if (isMarked(${JSON.stringify(fault)})) throw new Error('a fault on demand');
       return zstdCompressSync(...given);
     };`,
  );
  return {
    prelude: `export NODE_OPTIONS=--require=${script}`,
    next: (what) => writeFileSync(what === 'exit' ? exit : fault, ''),
    isPending: () => existsSync(exit) || existsSync(fault),
  };
}

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  skipSuite(isForeign ? foreignReason : null);

  it.each(['exit', 'throw'] as const)(
    'a pool thread with a job that ends by %s costs the produces that it had, and no more',
    async (what) => {
      const { prelude, next, isPending } = sabotage();
      const broker = await BrokerProcess.start({ workers, prelude });
      cleanUps.unshift(() => broker.dispose());
      const bystander = await Bystander.start(broker.port, 'beside');
      const client = await WireClient.connect(broker.port);
      await client.createTopic('anew', 4, { 'compression.type': 'zstd' });
      const taken: string[][] = [[], [], [], []];
      let refusedCount = 0;
      for (let round = 0; round < 3; round++) {
        next(what);
        // More at once than all threads work on.
        const sent = Array.from({ length: BATCHES }, (_, i) => {
          const [partition, label] = [i % 4, `${round}-${i}`];
          const batch = labelled(label, 0, 1, { compression: COMPRESSION.GZIP, valueBytes: 20_000 });
          return { partition, label, id: client.sendProduce('anew', new Map([[partition, batch]])) };
        });
        for (const { partition, label, id } of sent) {
          const [produced] = await client.receiveProduced(id);
          if (produced?.errorCode === 0) taken[partition]?.push(`${label}/0`);
          else {
            refusedCount++;
            expect(produced).toMatchObject({ errorCode: ERROR.UNKNOWN_SERVER_ERROR, baseOffset: -1 });
            expect(produced?.errorMessage).toMatch(/could not be compressed/);
          }
        }
        expect(isPending()).toBe(false);
      }
      expect(refusedCount).toBeGreaterThanOrEqual(3);
      expect(refusedCount).toBeLessThan(BATCHES);
      for (const [partition, expected] of taken.entries()) expect(labels(await client.readAll('anew', partition))).toEqual(expected);
      await bystander.check();
      await bystander.stop();
      client.close();
      expect((await broker.stop()).code).toBe(0);
    },
  );
});
