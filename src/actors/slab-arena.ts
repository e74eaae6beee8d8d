// The memory of one worker for received bytes and replies: one shared region, cut into slabs of a power of two by the buddy
// method. The bytes are shared (other workers read them through descriptors); all bookkeeping is the owner's alone.
// Invariants: slabs in use never overlap; a free block and its free buddy never stand side by side (they are one larger
// block), so an arena with everything released is whole again. The capacity is the memory budget: what cannot be met is -1. Who has to
// leave room for others says how much with each claim.
// Runs on: the worker that owns the arena. A slab that another worker held comes back here by a message.
// Not a general allocator: it neither clears memory nor moves a slab.
import { assert, unreachable } from '../base/assert.ts';
import { KIB, MIB } from '../base/units.ts';

export const SLAB_MIN_BYTES = 4 * KIB;
export const SLAB_MAX_BYTES = 128 * MIB;
/** Where a slab's position would stand: there is none. */
export const NO_SLAB = -1;

const ORDER_MAX = Math.log2(SLAB_MAX_BYTES / SLAB_MIN_BYTES);
/** Slots of an arena's numbers: its capacity, bytes in use, claims that were not met, then slabs in use by class, the smallest first. */
export const ARENA_CAPACITY = 0;
export const ARENA_USED = 1;
export const ARENA_REFUSED = 2;
export const ARENA_CLASSES = 3;
export const SLAB_CLASS_COUNT = ORDER_MAX + 1;

/** Beside a slab's order: it holds a reply, which lasts as long as its reader likes. */
const REPLY_FLAG = 0x80;

export class SlabArena {
  /** The whole arena, in which positions lie. The same memory as `region`. */
  readonly bytes: Buffer<SharedArrayBuffer>;
  /** To be given to other workers, so that they can read descriptors into it. */
  readonly region: SharedArrayBuffer;
  /** What can be claimed in all: whole blocks of SLAB_MIN_BYTES. */
  readonly capacityBytes: number;
  readonly #blockCount: number;
  /** Of the largest run that is left when the first block is in use; -1: none is. */
  #orderBeside = -1;
  // By block (SLAB_MIN_BYTES each), 14 bytes a block in all, kept at the first block of a slab or free run. Zero means none everywhere, so that
  // fresh arrays are right as they are and the bookkeeping of an untouched arena stays untouched too.
  readonly #freeOrder: Uint8Array; // Order + 1 of the free run that starts here.
  readonly #usedOrder: Uint8Array; // Order + 1 of the slab that starts here, and REPLY_FLAG.
  readonly #references: Int32Array; // Of the slab that starts here; >= 1 while in use.
  readonly #next: Int32Array; // Block + 1 in the list of free runs of the same order.
  readonly #previous: Int32Array;
  readonly #heads = new Int32Array(ORDER_MAX + 1); // Block + 1 of the first free run by order.
  /** For others to read; see ARENA_CAPACITY. Nothing here is decided by it. */
  readonly #slots: Float64Array;
  #freeOrders = 0; // Bit by order: its list is not empty.
  #usedBytes = 0;
  #replyBytes = 0; // Of these, in slabs that hold a reply.
  readonly #listeners: (() => void)[] = [];

  /** An arena over `region`, or over a new one of that many bytes; at least SLAB_MIN_BYTES. Its numbers go to `slots`. */
  constructor(region: SharedArrayBuffer | number, slots: Float64Array = new Float64Array(ARENA_CLASSES + SLAB_CLASS_COUNT)) {
    this.region = typeof region === 'number' ? new SharedArrayBuffer(region) : region;
    this.bytes = Buffer.from(this.region);
    const blockCount = Math.floor(this.region.byteLength / SLAB_MIN_BYTES);
    assert(blockCount >= 1, `an arena of ${this.region.byteLength} bytes holds no slab of ${SLAB_MIN_BYTES}`);
    this.capacityBytes = blockCount * SLAB_MIN_BYTES;
    this.#blockCount = blockCount;
    this.#slots = slots;
    slots[ARENA_CAPACITY] = this.capacityBytes;
    this.#freeOrder = new Uint8Array(blockCount);
    this.#usedOrder = new Uint8Array(blockCount);
    this.#references = new Int32Array(blockCount);
    this.#next = new Int32Array(blockCount);
    this.#previous = new Int32Array(blockCount);
    this.#addRuns(blockCount);
  }

  /** Bytes of all slabs in use, as they were rounded up. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The largest slab that a claim could get from an empty arena. */
  get slabMaxBytes(): number {
    return SLAB_MIN_BYTES * blocksOf(Math.min(ORDER_MAX, 31 - Math.clz32(this.#blockCount)));
  }

  /**
   * Takes a slab of at least `sizeBytes` with one reference; returns its position, a multiple of its size counted from the
   * start of the arena, or -1 when there is none, or when less than `reserveBytes` would be left of the arena: the caller pauses until
   * onReleased. The bytes in it are what they were. With `keptBytes` a slab of that size can still be had behind it, beside the reserve.
   */
  claim(sizeBytes: number, reserveBytes = 0, keptBytes = 0): number {
    if (!this.leaves(sizeBytes, reserveBytes + keptBytes)) return this.#refuse();
    const wanted = orderFor(sizeBytes);
    const candidates = this.#freeOrders & -(1 << wanted);
    if (candidates === 0) return this.#refuse();
    let order = 31 - Math.clz32(candidates & -candidates); // The smallest run that is large enough.
    if (keptBytes > 0 && !this.#keepsRun(order, wanted, orderFor(keptBytes))) return this.#refuse();
    const block = (this.#heads[order] as number) - 1; // Last freed, first claimed: its pages are warm.
    this.#unlink(block, order);
    while (order > wanted) {
      order--;
      this.#link(block + blocksOf(order), order); // Keeps the lower half.
    }
    this.#usedOrder[block] = order + 1;
    this.#references[block] = 1;
    this.#usedBytes += SLAB_MIN_BYTES * blocksOf(order);
    this.#count(order, 1);
    return block * SLAB_MIN_BYTES;
  }

  /** Whether `reserveBytes` of the arena are left behind a claim of `sizeBytes`. That there is a slab of that size is not said. */
  leaves(sizeBytes: number, reserveBytes: number): boolean {
    return sizeBytes <= SLAB_MAX_BYTES && this.#usedBytes + slabBytesFor(sizeBytes) + reserveBytes <= this.capacityBytes;
  }

  /** Whether large replies, this one included, would hold no more than half of the arena: readers that take nothing leave others the rest. */
  hasRoomForReply(sizeBytes: number): boolean {
    return this.#replyBytes + slabBytesFor(sizeBytes) <= this.capacityBytes >> 1;
  }

  /** The slab at `position` holds a large reply, until it is free again. */
  markReply(position: number): void {
    const block = this.#usedBlock(position);
    this.#replyBytes += this.slabBytes(position);
    this.#usedOrder[block] = (this.#usedOrder[block] as number) | REPLY_FLAG;
  }

  /** Whether a slab of `sizeBytes` can ever be had by who leaves `reserveBytes`, beside one at the start of the arena that somebody keeps. */
  canReceive(sizeBytes: number, reserveBytes: number): boolean {
    return orderFor(sizeBytes) <= this.#orderBeside && slabBytesFor(sizeBytes) + reserveBytes < this.capacityBytes;
  }

  /** Whether a slab of `sizeBytes` can ever be had while one of `heldBytes` (0: none) is kept, and one at the start of the arena. */
  canHoldBeside(sizeBytes: number, heldBytes: number): boolean {
    const wanted = orderFor(sizeBytes);
    const held = heldBytes === 0 ? -1 : orderFor(heldBytes);
    // The first place of the larger size has the start of the arena in it, and room for the smaller slab.
    return wanted <= ORDER_MAX && this.#blockCount >> Math.max(wanted, held) > (wanted === held ? 2 : 1);
  }

  /** One more holder of the slab at `position`. */
  retain(position: number): void {
    const block = this.#usedBlock(position);
    this.#references[block] = (this.#references[block] as number) + 1;
  }

  /** One holder less; the last one frees the slab, and then the listeners hear of it. */
  release(position: number): void {
    const block = this.#usedBlock(position);
    const references = (this.#references[block] as number) - 1;
    this.#references[block] = references;
    if (references > 0) return;
    const entry = this.#usedOrder[block] as number;
    const order = (entry & ~REPLY_FLAG) - 1;
    this.#usedOrder[block] = 0;
    this.#usedBytes -= SLAB_MIN_BYTES * blocksOf(order);
    this.#count(order, -1);
    if (entry >= REPLY_FLAG) this.#replyBytes -= SLAB_MIN_BYTES * blocksOf(order);
    this.#free(block, order);
    for (const listener of this.#listeners) listener();
  }

  /** Size of the slab at `position`: at least what was claimed. */
  slabBytes(position: number): number {
    return SLAB_MIN_BYTES * blocksOf(((this.#usedOrder[this.#usedBlock(position)] as number) & ~REPLY_FLAG) - 1);
  }

  /** `listener` is called whenever a slab has become free; it may claim. */
  onReleased(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether a run of order `kept` is left when a slab of order `wanted` is cut from the first run of `order`. */
  #keepsRun(order: number, wanted: number, kept: number): boolean {
    if ((this.#freeOrders & -(1 << kept) & ~(1 << order)) !== 0) return true;
    if (order < kept) return false;
    const head = (this.#heads[order] as number) - 1;
    return this.#next[head] !== 0 || (order > wanted && order > kept); // Another such run, or the upper half of this one.
  }

  /** Joins the run with its buddy as long as that one is free and of the same order. */
  #free(block: number, order: number): void {
    let first = block;
    let joined = order;
    while (joined < ORDER_MAX) {
      const buddy = first ^ blocksOf(joined);
      if (buddy >= this.#blockCount || this.#freeOrder[buddy] !== joined + 1) break;
      this.#unlink(buddy, joined);
      first = Math.min(first, buddy);
      joined++;
    }
    this.#link(first, joined);
  }

  /** The free runs of an empty arena whose size need not be a power of two: the largest aligned ones, from its start. */
  #addRuns(blockCount: number): void {
    let block = 0;
    while (block < blockCount) {
      const alignment = block === 0 ? ORDER_MAX : 31 - Math.clz32(block & -block);
      const order = Math.min(ORDER_MAX, alignment, 31 - Math.clz32(blockCount - block));
      this.#link(block, order);
      this.#orderBeside = Math.max(this.#orderBeside, block === 0 ? order - 1 : order);
      block += blocksOf(order);
    }
  }

  #link(block: number, order: number): void {
    const head = this.#heads[order] as number;
    this.#freeOrder[block] = order + 1;
    this.#previous[block] = 0;
    this.#next[block] = head;
    if (head !== 0) this.#previous[head - 1] = block + 1;
    this.#heads[order] = block + 1;
    this.#freeOrders |= 1 << order;
  }

  #unlink(block: number, order: number): void {
    const next = this.#next[block] as number;
    const previous = this.#previous[block] as number;
    if (previous !== 0) this.#next[previous - 1] = next;
    else this.#heads[order] = next;
    if (next !== 0) this.#previous[next - 1] = previous;
    this.#freeOrder[block] = 0;
    if (this.#heads[order] === 0) this.#freeOrders &= ~(1 << order);
  }

  #count(order: number, change: number): void {
    this.#slots[ARENA_USED] = this.#usedBytes;
    this.#slots[ARENA_CLASSES + order] = (this.#slots[ARENA_CLASSES + order] as number) + change;
  }

  #refuse(): -1 {
    this.#slots[ARENA_REFUSED] = (this.#slots[ARENA_REFUSED] as number) + 1;
    return -1;
  }

  #usedBlock(position: number): number {
    const block = position / SLAB_MIN_BYTES;
    const order = this.#usedOrder[block];
    if (order === undefined || order === 0) unreachable(`no slab in use at position ${position}`);
    return block;
  }
}

/** Bytes of the slab that a claim of `sizeBytes` takes. */
export function slabBytesFor(sizeBytes: number): number {
  return SLAB_MIN_BYTES * blocksOf(orderFor(sizeBytes));
}

/** A power by shifting: `2 ** order` is a call of the C library, five of them a request. */
function blocksOf(order: number): number {
  return 1 << order;
}

/** The order (log2 of blocks) of the smallest slab of at least `sizeBytes`. */
function orderFor(sizeBytes: number): number {
  const blocks = Math.max(1, Math.ceil(sizeBytes / SLAB_MIN_BYTES));
  return blocks === 1 ? 0 : 32 - Math.clz32(blocks - 1);
}
