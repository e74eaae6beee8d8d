// CRC-32C against published vectors, and every implementation against the others at odd lengths and alignments.
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, crc32cImplementation, crc32cJavaScript, crc32cRange, nativeCrc32cImplementations } from '../../src/base/crc32c.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const sequence = (length: number, at: (i: number) => number): Uint8Array => Uint8Array.from({ length }, (_, i) => at(i));

/** RFC 3720, B.4, and the check value of the catalogue of CRC algorithms. */
const VECTORS: readonly (readonly [string, Uint8Array, number])[] = [
  ['nothing', new Uint8Array(0), 0],
  ['a', ascii('a'), 0xc1d04330],
  ['123456789', ascii('123456789'), 0xe3069283],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 rising', sequence(32, (i) => i), 0x46dd794e],
  ['32 falling', sequence(32, (i) => 31 - i), 0x113fdb5c],
];

const implementations = [
  { name: 'javascript', checksum: (bytes: Uint8Array) => crc32cJavaScript(bytes, 0, bytes.length) },
  { name: 'the chosen one', checksum: crc32c },
  ...nativeCrc32cImplementations(),
];

/** What crc32cJavaScript must equal, a bit at a time. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const moduleUrl = pathToFileURL(`${import.meta.dirname}/../../src/base/crc32c.ts`).href;

describe('crc32c', () => {
  for (const { name, checksum } of implementations) {
    for (const [what, bytes, expected] of VECTORS) {
      it(`${name}: ${what}`, () => expect(checksum(bytes)).toBe(expected));
    }

    it(`${name} agrees with the definition at every length up to 300 and every alignment, over shared memory too`, () => {
      const shared = new Uint8Array(new SharedArrayBuffer(320)).map((_, i) => (i * 167 + (i >> 3)) & 0xff);
      const plain = new Uint8Array(shared);
      for (let length = 0; length <= 300; length++) {
        const start = length % 17;
        const expected = bitwise(plain.subarray(start, start + length));
        expect(checksum(shared.subarray(start, start + length)), `shared, length ${length}`).toBe(expected);
        expect(checksum(Buffer.from(plain.buffer, start, length)), `plain, length ${length}`).toBe(expected);
      }
    });
  }

  it('gives the same for a range as for its bytes alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.nat(), fc.nat(), (bytes, a, b) => {
        const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y) as [number, number];
        expect(crc32cRange(bytes, start, end)).toBe(bitwise(bytes.subarray(start, end)));
      }),
    );
  });

  it('says which implementation answers, and NARU_NATIVE=off leaves our own', () => {
    const native = nativeCrc32cImplementations();
    const expected = process.env.NARU_NATIVE === 'off' || native.length === 0 ? 'javascript' : native[0]?.name;
    expect(crc32cImplementation()).toBe(expected);
    const program = `import { crc32c, crc32cImplementation } from '${moduleUrl}';
      console.log(crc32cImplementation(), crc32c(new Uint8Array(1024)));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, NARU_NATIVE: 'off' },
      encoding: 'utf8',
    });
    expect(said.trim()).toBe(`javascript ${crc32c(new Uint8Array(1024))}`);
  });

  it('is looked for when there is more to sum than a start does, and says the same then', () => {
    const program = `import { createRequire } from 'node:module';
      import { crc32c } from '${moduleUrl}';
      const loadedCount = () => Object.keys(createRequire('${moduleUrl}').cache).filter((path) => path.endsWith('.node')).length;
      const bytes = new Uint8Array(8192).fill(7);
      console.log(JSON.stringify([1, 2, 3].map(() => [crc32c(bytes), loadedCount()])));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    const sum = crc32cJavaScript(new Uint8Array(8192).fill(7), 0, 8192);
    const loaded = process.env.NARU_NATIVE === 'off' || nativeCrc32cImplementations().length === 0 ? 0 : 1;
    expect(JSON.parse(said)).toEqual([
      [sum, 0],
      [sum, 0],
      [sum, loaded],
    ]);
  });

  it('loads in a worker beside the main thread', async () => {
    const program = `import { parentPort } from 'node:worker_threads';
      const { crc32c, crc32cImplementation } = await import('${moduleUrl}');
      parentPort.postMessage([crc32cImplementation(), crc32c(new Uint8Array(1024))]);`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answer).toEqual([crc32cImplementation(), crc32c(new Uint8Array(1024))]);
    await worker.terminate();
  });
});
