// Where the broker's randomness comes from: a device is believed, nothing else that lies in its place.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deviceRandom } from '../../src/base/random.ts';

const ZEROS = new Uint8Array(64);

function drawn(path: string): Uint8Array {
  const bytes = new Uint8Array(ZEROS.length);
  deviceRandom(path).fill(bytes);
  return bytes;
}

it('is the device that is named', () => {
  expect(drawn('/dev/zero')).toEqual(ZEROS);
});

it("is Node's own where a file is no device, gives too little or does not exist", () => {
  const directory = mkdtempSync(join(tmpdir(), 'naru-random-'));
  try {
    const file = join(directory, 'urandom');
    writeFileSync(file, ZEROS);
    for (const path of [file, '/dev/null', join(directory, 'missing')]) expect(drawn(path)).not.toEqual(ZEROS);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
