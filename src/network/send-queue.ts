// The only writer of a connection: replies in the order in which they were queued, one write for all of a turn's, a large one's in several
// turns. Ranges of files in them leave by the kernel's own way (Transport.sendFile) where there is one, through a window in memory elsewhere.
// Invariants: one write at a time is with the transport, and nothing is sent beside it; memory goes back to the arena when the kernel took
// the bytes: at once when that happened within the write; each range is left once. Nothing here waits for a disk.
// Runs on: the worker of the connection. Not here: whose reply comes next (request-order.ts), room for replies (reply-chunks.ts).
import { NO_SLAB, type SlabArena } from '../actors/slab-arena.ts';
import { KIB, MIB } from '../base/units.ts';
import type { FileRange } from './file-range.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { NetworkCounters } from './network-counters.ts';
import { RangeWindow } from './range-window.ts';
import { ReplyList } from './reply-list.ts';
import { FULL, GONE, SMALL_BYTES_MAX, type Transport, UNABLE } from './transport.ts';

/** Of file ranges in one flush: what is left waits for the next turn, so that others get theirs. */
const FILE_BYTES_PER_TURN = MIB;
/** Of memory in one write, where there is more than half as much again: a copy of 1 MiB into a socket holds the loop for some 300 µs. */
const WRITE_BYTES_PER_TURN = 256 * KIB;
const UNCUT_BYTES_MAX = 384 * KIB;
/** One read and write of a range that the kernel does not send by itself, or not without waiting for a disk. */
const WINDOW_BYTES = 256 * KIB;
/** What goes by a write when the socket is full: libuv says when it was taken, and so when there is room again. 4 to 256 KiB cost the same. */
const NUDGE_BYTES = 16 * KIB;
const SHORT_FILE = 'a log file could not be read, or is shorter than its index says';

/** The connection, as its queue sees it. */
export interface SendQueueOwner {
  /** Asks for a flush at the end of this turn or the next. */
  flushLater(): void;
  /** What was promised cannot be sent: the connection is of no more use. */
  cannotSend(reason: string): void;
  /** The other side is gone, as a call that sent something found before the transport told it. */
  peerGone(): void;
}

export class SendQueue {
  readonly #arena: SlabArena;
  readonly #counters: NetworkCounters;
  readonly #transport: Transport;
  readonly #owner: SendQueueOwner;
  readonly #replies: ReplyList;
  readonly #window: RangeWindow;
  #turnBytes = 0; // Of file ranges, in this flush.
  #isFull = false; // The socket has said so: a write comes next.
  #isUnable = false; // Sending from a file has failed for what it is.
  #isBroken = false;
  // What the transport still reads from.
  readonly #writingSlabs: number[] = [];
  #writingBytes = 0;
  #sentBytes = 0; // Without what is being written.
  readonly #pieces: Uint8Array[] = [];

  constructor(arena: SlabArena, transport: Transport, counters: NetworkCounters, owner: SendQueueOwner) {
    this.#arena = arena;
    this.#transport = transport;
    this.#counters = counters;
    this.#owner = owner;
    this.#replies = new ReplyList(arena);
    this.#window = new RangeWindow(arena);
  }

  /** Bytes of complete replies that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#replies.bytes + this.#writingBytes;
  }

  /** Of these, what lies in memory: all but ranges of files. */
  get unsentMemoryBytes(): number {
    const { count, lengths, ranges } = this.#replies;
    let bytes = this.#writingBytes;
    for (let i = 0; i < count; i++) if (ranges[i] === null) bytes += lengths[i] as number;
    return bytes;
  }

  /** Whether a range of a file is still to be left. */
  get owesFileRanges(): boolean {
    return this.#replies.rangeCount > 0;
  }

  /** Bytes that the kernel has taken: those of whole writes, and of the one that is going on what the transport says. */
  get sentBytes(): number {
    return this.#sentBytes + (this.#writingBytes === 0 ? 0 : Math.max(0, this.#writingBytes - this.#transport.untakenBytes));
  }

  /** The reply of `request` leaves with the next flush; what it holds is the queue's from here on. */
  push(request: IncomingRequest): void {
    const { replyBytes, replyStart, replySizeBytes, replySlab, files, filePositions } = request;
    let start = replyStart;
    if (files.length > 0) {
      for (let i = 0; i < files.length; i++) {
        const at = filePositions[i] as number;
        if (replySlab !== NO_SLAB) this.#arena.retain(replySlab);
        this.#replies.pushBytes(replyBytes, start, at - start, replySlab);
        this.#replies.pushRange(files[i] as FileRange);
        start = at;
      }
      // Only here: to set the length of an array takes 0.1 µs even when it is empty already, 2 % of a small request.
      files.length = 0;
      filePositions.length = 0;
    }
    this.#replies.pushBytes(replyBytes, start, replyStart + replySizeBytes - start, replySlab);
  }

  /** Sends what can be sent now, in one write where no file takes part, unless a write is still going on: then `written` brings the next. */
  flush(): void {
    const replies = this.#replies;
    if (replies.rangeCount === 0) {
      if (replies.count === 0 || this.#writingBytes !== 0 || this.#isBroken) return;
      if (replies.count > 1 || !this.#sendSmall()) this.#write(replies.count);
      return;
    }
    this.#turnBytes = 0;
    while (replies.count > 0 && this.#writingBytes === 0 && !this.#isBroken && this.#sendFirst());
  }

  /** The transport has taken the write that was going on. */
  written(): void {
    this.#releaseWritten();
    this.#isFull = false;
    if (this.#replies.rangeCount === 0) this.flush();
    else this.#owner.flushLater(); // Not more than a turn's share in a turn.
  }

  /** Nothing more is sent. What a write that is going on reads from stays until `closed`. */
  drop(): void {
    const { count, slabs, ranges } = this.#replies;
    for (let i = 0; i < count; i++) {
      const slab = slabs[i] as number;
      const range = ranges[i] ?? null;
      if (slab !== NO_SLAB) this.#arena.release(slab);
      if (range !== null && !this.#window.isReadingFor(range)) range.leave();
    }
    this.#window.abandon();
    this.#replies.clear();
  }

  /** The transport reads from nothing any more. */
  closed(): void {
    this.drop();
    this.#releaseWritten();
  }

  /** Sends something of what stands first. False: nothing more goes in this flush. */
  #sendFirst(): boolean {
    const range = this.#replies.ranges[0] ?? null;
    if (range === null) return this.#sendBytes();
    if (this.#window.isReadingFor(range)) return false;
    if (this.#window.filledBytes !== 0) return this.#writeWindow();
    const room = FILE_BYTES_PER_TURN - this.#turnBytes;
    if (room <= 0) {
      this.#owner.flushLater();
      return false;
    }
    const at = this.#replies.positions[0] as number;
    const length = Math.min(this.#replies.lengths[0] as number, room);
    const isDirect = this.#sendsFiles() && !this.#isFull;
    const size = isDirect ? length : Math.min(length, this.#isFull ? NUDGE_BYTES : WINDOW_BYTES);
    if (!range.isCached(at, size)) {
      this.#window.fillLater(range, at, Math.min(size, WINDOW_BYTES), () => this.#owner.flushLater());
      return false;
    }
    if (isDirect) return this.#sendRange(range, at, length);
    this.#window.fill(range, at, size);
    return this.#writeWindow();
  }

  #sendRange(range: FileRange, at: number, length: number): boolean {
    const count = this.#transport.sendFile(range.descriptor, range.position + at, length);
    if (count > 0) {
      this.#counters.fileSends++;
      this.#counters.sentBytes += count;
      this.#sentBytes += count;
      this.#turnBytes += count;
      if (this.#replies.advance(count)) range.leave();
    } else if (count === 0) {
      this.#break(SHORT_FILE);
    } else if (count === GONE) {
      this.#isBroken = true;
      this.#owner.peerGone();
    } else {
      this.#isFull = count === FULL;
      this.#isUnable = count === UNABLE;
    }
    return true;
  }

  /** Memory. The few bytes in front of a file's go with them, and those behind the last one's as cheaply; all others by a write. */
  #sendBytes(): boolean {
    const { count: entryCount, sources, positions, lengths, slabs } = this.#replies;
    const length = lengths[0] as number;
    const hasMore = this.#replies.isRange(1);
    const isBesideFile = hasMore || (entryCount === 1 && this.#turnBytes > 0);
    if (isBesideFile && length <= SMALL_BYTES_MAX && this.#sendsFiles()) {
      const slab = slabs[0] as number;
      const count = this.#transport.sendSmall(sources[0] as Buffer, positions[0] as number, length, hasMore);
      if (count >= 0) {
        this.#counters.writeCount++;
        this.#counters.sentBytes += count;
        this.#sentBytes += count;
        if (this.#replies.advance(count) && slab !== NO_SLAB) this.#arena.release(slab);
        return true;
      }
      if (count === GONE) {
        this.#isBroken = true;
        this.#owner.peerGone();
        return false;
      }
    }
    return this.#write(this.#replies.rangeFrom(1));
  }

  /**
   * The one reply of a client that waits for it before it asks for more. False: something is left for a write, which also finds out what is
   * wrong with the socket. A write costs some 2 µs of stream and libuv around the system call, this 0.5.
   */
  #sendSmall(): boolean {
    const replies = this.#replies;
    const length = replies.lengths[0] as number;
    if (length > SMALL_BYTES_MAX || !this.#transport.sendsSmall) return false;
    const count = this.#transport.sendSmall(replies.sources[0] as Buffer, replies.positions[0] as number, length, false);
    if (count < 0) return false;
    this.#counters.sentBytes += count;
    this.#sentBytes += count;
    const slab = replies.slabs[0] as number;
    if (!replies.advance(count)) return false;
    this.#counters.writeCount++;
    if (slab !== NO_SLAB) this.#arena.release(slab);
    return true;
  }

  /** Writes the window, and with its range's last bytes what stands between that and the next range. */
  #writeWindow(): boolean {
    const window = this.#window;
    const range = this.#replies.ranges[0] as FileRange;
    const { filledBytes } = window;
    if (filledBytes < 0) {
      this.#break(SHORT_FILE);
      return false;
    }
    this.#pieces.push(window.bytes.subarray(window.start, window.start + filledBytes));
    if (window.slab !== NO_SLAB) this.#writingSlabs.push(window.slab);
    window.take();
    this.#turnBytes += filledBytes;
    this.#writingBytes = filledBytes;
    const isWhole = this.#replies.advance(filledBytes);
    if (isWhole) range.leave();
    return this.#write(isWhole ? this.#replies.rangeFrom(0) : 0);
  }

  /**
   * One write of the first `count` entries, memory all of them, behind what is in #pieces already; of many bytes a turn's share, the
   * others follow in later turns. True: it was taken at once, and was all of them.
   */
  #write(count: number): boolean {
    const pieces = this.#pieces;
    const { sources, positions, lengths, slabs } = this.#replies;
    let bytes = 0;
    for (let i = 0; i < count; i++) bytes += lengths[i] as number;
    const isCut = bytes > UNCUT_BYTES_MAX;
    if (isCut) bytes = WRITE_BYTES_PER_TURN;
    let wholeCount = 0;
    let partBytes = bytes;
    for (; wholeCount < count && (lengths[wholeCount] as number) <= partBytes; wholeCount++) {
      pieces.push((sources[wholeCount] as Buffer).subarray(positions[wholeCount], this.#replies.endOf(wholeCount)));
      partBytes -= lengths[wholeCount] as number;
      const slab = slabs[wholeCount] as number;
      if (slab !== NO_SLAB) this.#writingSlabs.push(slab);
    }
    if (partBytes > 0) {
      const start = positions[wholeCount] as number;
      const slab = slabs[wholeCount] as number;
      pieces.push((sources[wholeCount] as Buffer).subarray(start, start + partBytes));
      if (slab !== NO_SLAB) {
        this.#arena.retain(slab); // The rest of the entry holds it as well, and may be dropped before this write ends.
        this.#writingSlabs.push(slab);
      }
    }
    this.#replies.removeFirst(wholeCount);
    if (partBytes > 0) this.#replies.advance(partBytes);
    this.#writingBytes += bytes;
    this.#counters.writeCount++;
    this.#counters.sentBytes += this.#writingBytes;
    const isTaken = this.#transport.write(pieces);
    pieces.length = 0;
    if (!isTaken) return false;
    this.#isFull = false;
    this.#releaseWritten();
    if (isCut) this.#owner.flushLater();
    return !isCut;
  }

  #sendsFiles(): boolean {
    return !this.#isUnable && this.#transport.sendsFiles;
  }

  #break(reason: string): void {
    this.#isBroken = true;
    this.#owner.cannotSend(reason);
  }

  #releaseWritten(): void {
    this.#sentBytes += this.#writingBytes;
    this.#writingBytes = 0;
    for (const slab of this.#writingSlabs) this.#arena.release(slab);
    this.#writingSlabs.length = 0;
  }
}
