import { expect, test } from 'vitest';
import { xxh3 } from '../../src/base/xxh3.ts';

/** Hashes by hash4j, the library that Apache Kafka 4.3.1 uses, of `pattern(length)`: each way through the algorithm, at its ends. */
const HASHES: readonly (readonly [length: number, hash: bigint])[] = [
  [0, 3244421341483603138n],
  [1, 5502495245947142431n],
  [2, -6349423698422726873n],
  [3, 1582743943441612892n],
  [4, -2549016526957988167n],
  [7, 8458189580353027099n],
  [8, -2394039629164210130n],
  [9, 6826826100130491823n],
  [12, 4116902077840826582n],
  [16, -5294777347668121591n],
  [17, 1412152472893301783n],
  [31, -460287881460670126n],
  [32, 2155485519126862132n],
  [33, 295219225024738793n],
  [64, 6664293511722909097n],
  [65, -8417344474257727307n],
  [96, -8041684616415105753n],
  [97, 190462880835315356n],
  [128, -5915573427019343820n],
  [129, -6640810868586565321n],
  [160, 399019298719194756n],
  [200, 6658642193313423481n],
  [240, -8000214813005893740n],
  [241, 6027984620569528152n],
  [256, 7376902351762132538n],
  [512, -1927078356861533646n],
  [1023, 8818149109038991842n],
  [1024, -4500489202005845183n],
  [1025, 2783494787540958856n],
  [1088, -6514414608879719943n],
  [2048, 7138157406110346795n],
  [2049, -3631998039331473360n],
  [5000, 2705193781849627576n],
];

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + 7) ^ (i >> 3));
}

test.each(HASHES)('%i bytes', (length, hash) => {
  expect(xxh3(pattern(length))).toBe(hash);
});

test('a view into a larger buffer', () => {
  const bytes = new Uint8Array(300);
  bytes.set(pattern(240), 17);
  expect(xxh3(bytes.subarray(17, 257))).toBe(HASHES.find(([length]) => length === 240)?.[1]);
});
