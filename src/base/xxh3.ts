// XXH3 with 64 bits, seed 0 and the default secret: the hash that Apache Kafka keeps of the topics a group subscribes to.
// Not for long inputs: BigInt arithmetic, some ten megabytes a second.
// Source: the xxHash specification, "XXH3 algorithm description".

const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;
const MASK64 = 0xffffffffffffffffn;
const MASK32 = 0xffffffffn;

const SECRET_BYTES = 192;
const STRIPE_BYTES = 64;
const LANES = 8;
const LANE_BYTES = 8;
/** The secret moves on by a lane with each stripe, until its last 64 bytes are used. */
const STRIPES_PER_BLOCK = (SECRET_BYTES - STRIPE_BYTES) / LANE_BYTES;
const BLOCK_BYTES = STRIPES_PER_BLOCK * STRIPE_BYTES;

const secret = view(
  Uint8Array.from(
    (
      'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e' +
      'e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a' +
      '51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8f' +
      'f8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e'
    ).match(/../g) ?? [],
    (pair) => Number.parseInt(pair, 16),
  ),
);

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The hash as a signed 64-bit integer, as Java has it. */
export function xxh3(bytes: Uint8Array): bigint {
  return BigInt.asIntN(64, hash(view(bytes), bytes.length));
}

function hash(input: DataView, length: number): bigint {
  if (length === 0) return avalanche64(read64(secret, 56) ^ read64(secret, 64));
  if (length <= 3) return hashTo3(input, length);
  if (length <= 8) return hashTo8(input, length);
  if (length <= 16) return hashTo16(input, length);
  if (length <= 128) return hashTo128(input, length);
  if (length <= 240) return hashTo240(input, length);
  return hashLong(input, length);
}

function hashTo3(input: DataView, length: number): bigint {
  const first = input.getUint8(0);
  const middle = input.getUint8(length >> 1);
  const last = input.getUint8(length - 1);
  const combined = ((first << 16) | (middle << 24) | last | (length << 8)) >>> 0;
  const flip = (secret.getUint32(0, true) ^ secret.getUint32(4, true)) >>> 0;
  return avalanche64(BigInt(combined) ^ BigInt(flip));
}

function hashTo8(input: DataView, length: number): bigint {
  const low = BigInt(input.getUint32(length - 4, true));
  const high = BigInt(input.getUint32(0, true));
  let mixed = (low + (high << 32n)) ^ read64(secret, 8) ^ read64(secret, 16);
  mixed ^= rotateLeft(mixed, 49n) ^ rotateLeft(mixed, 24n);
  mixed = (mixed * PRIME_MX2) & MASK64;
  mixed ^= (mixed >> 35n) + BigInt(length);
  mixed = (mixed * PRIME_MX2) & MASK64;
  return mixed ^ (mixed >> 28n);
}

function hashTo16(input: DataView, length: number): bigint {
  const low = read64(input, 0) ^ read64(secret, 24) ^ read64(secret, 32);
  const high = read64(input, length - 8) ^ read64(secret, 40) ^ read64(secret, 48);
  return avalanche((BigInt(length) + swapBytes(low) + high + foldedProduct(low, high)) & MASK64);
}

function hashTo128(input: DataView, length: number): bigint {
  let sum = BigInt(length) * PRIME64_1;
  // Pairs from both ends towards the middle.
  for (let i = Math.floor((length - 1) / 32); i >= 0; i--) {
    sum += mix16(input, 16 * i, 32 * i) + mix16(input, length - 16 * (i + 1), 32 * i + 16);
  }
  return avalanche(sum & MASK64);
}

function hashTo240(input: DataView, length: number): bigint {
  let sum = BigInt(length) * PRIME64_1;
  const rounds = Math.floor(length / 16);
  for (let i = 0; i < 8; i++) sum += mix16(input, 16 * i, 16 * i);
  sum = avalanche(sum & MASK64);
  for (let i = 8; i < rounds; i++) sum += mix16(input, 16 * i, 16 * (i - 8) + 3);
  sum += mix16(input, length - 16, 136 - 17);
  return avalanche(sum & MASK64);
}

function hashLong(input: DataView, length: number): bigint {
  const lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1];
  const blocks = Math.floor((length - 1) / BLOCK_BYTES);
  for (let block = 0; block < blocks; block++) {
    for (let stripe = 0; stripe < STRIPES_PER_BLOCK; stripe++) {
      accumulate(lanes, input, block * BLOCK_BYTES + stripe * STRIPE_BYTES, stripe * LANE_BYTES);
    }
    scramble(lanes);
  }
  const stripes = Math.floor((length - 1 - blocks * BLOCK_BYTES) / STRIPE_BYTES);
  for (let stripe = 0; stripe < stripes; stripe++) {
    accumulate(lanes, input, blocks * BLOCK_BYTES + stripe * STRIPE_BYTES, stripe * LANE_BYTES);
  }
  accumulate(lanes, input, length - STRIPE_BYTES, SECRET_BYTES - STRIPE_BYTES - 7);
  return merge(lanes, BigInt(length) * PRIME64_1);
}

function accumulate(lanes: bigint[], input: DataView, position: number, secretPosition: number): void {
  for (let i = 0; i < LANES; i++) {
    const value = read64(input, position + LANE_BYTES * i);
    const keyed = value ^ read64(secret, secretPosition + LANE_BYTES * i);
    lanes[i ^ 1] = ((lanes[i ^ 1] as bigint) + value) & MASK64;
    lanes[i] = ((lanes[i] as bigint) + (keyed & MASK32) * (keyed >> 32n)) & MASK64;
  }
}

function scramble(lanes: bigint[]): void {
  for (let i = 0; i < LANES; i++) {
    const lane = lanes[i] as bigint;
    lanes[i] = ((lane ^ (lane >> 47n) ^ read64(secret, SECRET_BYTES - STRIPE_BYTES + LANE_BYTES * i)) * PRIME32_1) & MASK64;
  }
}

function merge(lanes: readonly bigint[], start: bigint): bigint {
  let sum = start;
  for (let i = 0; i < LANES; i += 2) {
    const position = 11 + LANE_BYTES * i;
    sum += foldedProduct((lanes[i] as bigint) ^ read64(secret, position), (lanes[i + 1] as bigint) ^ read64(secret, position + 8));
  }
  return avalanche(sum & MASK64);
}

function mix16(input: DataView, position: number, secretPosition: number): bigint {
  const low = read64(input, position) ^ read64(secret, secretPosition);
  const high = read64(input, position + 8) ^ read64(secret, secretPosition + 8);
  return foldedProduct(low, high);
}

/** Both halves of the 128-bit product, one over the other. */
function foldedProduct(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & MASK64) ^ (product >> 64n);
}

function avalanche(value: bigint): bigint {
  const mixed = ((value ^ (value >> 37n)) * PRIME_MX1) & MASK64;
  return mixed ^ (mixed >> 32n);
}

/** The finish of XXH64, for the shortest inputs. */
function avalanche64(value: bigint): bigint {
  let mixed = ((value ^ (value >> 33n)) * PRIME64_2) & MASK64;
  mixed = ((mixed ^ (mixed >> 29n)) * PRIME64_3) & MASK64;
  return mixed ^ (mixed >> 32n);
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK64;
}

function swapBytes(value: bigint): bigint {
  const swap = view(new Uint8Array(8));
  swap.setBigUint64(0, value, true);
  return swap.getBigUint64(0);
}

function read64(from: DataView, position: number): bigint {
  return from.getBigUint64(position, true);
}
