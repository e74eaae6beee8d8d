// What a simulated disk is made of: for each file and directory what is in the page cache, what is on the medium, and the changes
// between the two.
// What a power loss leaves of a file that was written to since its last sync: of each write any of its sectors, or the writes
// up to one of them, that one torn, or none, or all. A sector itself is old or new. What lies between kept sectors reads as zeros.
// What it leaves of a directory: its changes up to some point since its last sync, each directory by itself. Syncing a file
// does not keep its name: that is its directory's (real file systems often keep more; none promises it).
// Invariants: what a completed sync has covered survives every crash; a file with nothing unsynced is the same after it.
// A failed sync is remembered as the kernel does: those writes count as clean, later syncs succeed, a crash may drop them.
// Pure. Not the faults, not the interface (sim-storage.ts). Files are kept whole in memory, twice.
import type { Random } from '../base/random.ts';

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

/** A change of a file's content since its last sync. */
type Change =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly sizeBytes: number };

/** Bytes that grow; beyond what was written they are zeros. */
class Content {
  bytes = new Uint8Array(0);
  sizeBytes = 0;

  write(source: Uint8Array, position: number): void {
    this.reserve(position + source.length);
    this.bytes.set(source, position);
    this.sizeBytes = Math.max(this.sizeBytes, position + source.length);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.sizeBytes) this.bytes.fill(0, sizeBytes);
    this.sizeBytes = sizeBytes;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.sizeBytes - position));
    const kept = this.bytes.subarray(position, position + count);
    target.set(kept, at);
    target.fill(0, at + kept.length, at + count);
    return count;
  }

  apply(change: Change): void {
    if (change.type === 'write') this.write(change.bytes, change.position);
    else this.truncate(change.sizeBytes);
  }

  become(other: Content): void {
    this.bytes = other.bytes.slice(0, other.sizeBytes);
    this.sizeBytes = other.sizeBytes;
  }

  reserve(sizeBytes: number): void {
    if (sizeBytes <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(sizeBytes, this.bytes.length * 2, SECTOR_BYTES));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

export class FileNode {
  readonly type = 'file';
  readonly cached = new Content();
  readonly onMedium = new Content();
  /** Since the last sync, oldest first; `changeCount` numbers them from the file's beginning. */
  changes: Change[] = [];
  changeCount = 0;

  change(change: Change): void {
    this.cached.apply(change);
    this.changes.push(change);
    this.changeCount++;
  }

  /** The changes up to number `upTo` are on the medium. */
  settle(upTo: number): void {
    for (const change of this.#take(upTo)) this.onMedium.apply(change);
  }

  /** The same, but some got lost on the way, sector by sector. */
  lose(upTo: number, random: Random): void {
    for (const change of this.#take(upTo)) applyTorn(this.onMedium, change, random);
  }

  #take(upTo: number): Change[] {
    const first = this.changeCount - this.changes.length;
    return this.changes.splice(0, Math.max(0, upTo - first));
  }
}

/** A change of one directory's entries; a rename within a directory is one change, else one in each. */
type EntryChange = readonly { readonly name: string; readonly node: Node | null }[];

export class DirectoryNode {
  readonly type = 'directory';
  readonly cached = new Map<string, Node>();
  readonly onMedium = new Map<string, Node>();
  changes: EntryChange[] = [];

  change(change: EntryChange): void {
    applyEntries(this.cached, change);
    this.changes.push(change);
  }

  settle(count = this.changes.length): void {
    for (const change of this.changes.splice(0, count)) applyEntries(this.onMedium, change);
  }
}

export type Node = FileNode | DirectoryNode;

function applyEntries(entries: Map<string, Node>, change: EntryChange): void {
  for (const { name, node } of change) {
    if (node === null) entries.delete(name);
    else entries.set(name, node);
  }
}

/** How a file comes out of a crash. */
const CRASH_WAYS = ['none', 'all', 'prefix', 'sectors'] as const;

/** What a power loss leaves of `root`, as a disk whose cache is empty. */
export function afterCrash(root: DirectoryNode, random: Random): DirectoryNode {
  const seen = new Map<Node, Node>();
  const survivorOf = (node: Node): Node => {
    const known = seen.get(node); // A rename between directories may be half done: then a file has two names.
    if (known !== undefined) return known;
    if (node.type === 'directory') return directoryAfterCrash(node);
    const file = fileAfterCrash(node, random);
    seen.set(node, file);
    return file;
  };
  const directoryAfterCrash = (from: DirectoryNode): DirectoryNode => {
    const directory = new DirectoryNode();
    seen.set(from, directory);
    from.settle(random.below(from.changes.length + 1));
    for (const [name, child] of from.onMedium) {
      const survivor = survivorOf(child);
      directory.cached.set(name, survivor);
      directory.onMedium.set(name, survivor);
    }
    return directory;
  };
  return directoryAfterCrash(root);
}

function fileAfterCrash(from: FileNode, random: Random): FileNode {
  const file = new FileNode();
  const content = file.onMedium;
  content.become(from.onMedium);
  const way = CRASH_WAYS[random.below(CRASH_WAYS.length)];
  if (way === 'all') for (const change of from.changes) content.apply(change);
  if (way === 'sectors') for (const change of from.changes) applyTorn(content, change, random);
  if (way === 'prefix') {
    const whole = random.below(from.changes.length + 1);
    for (const change of from.changes.slice(0, whole)) content.apply(change);
    const torn = from.changes[whole];
    if (torn !== undefined) applyTorn(content, torn, random);
  }
  file.cached.become(content);
  return file;
}

/** Any of the sectors that a write touches; a truncation as a whole or not at all. */
function applyTorn(content: Content, change: Change, random: Random): void {
  if (change.type === 'truncate') {
    if (random.below(2) === 0) content.apply(change);
    return;
  }
  const end = change.position + change.bytes.length;
  for (let at = change.position; at < end; ) {
    const next = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (random.below(2) === 0) content.write(change.bytes.subarray(at - change.position, next - change.position), at);
    at = next;
  }
}

/** Removes all entries below, one directory after the other, as a recursive removal does. */
export function emptyOut(directory: DirectoryNode): void {
  for (const [name, node] of [...directory.cached]) {
    if (node.type === 'directory') emptyOut(node);
    directory.change([{ name, node: null }]);
  }
}
