// A log directory that the process may not use: one line that says whose it is and what to do, exit code 1.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { accessRefusal } from '../../src/broker/directory-access.ts';
import { StorageError } from '../../src/log/storage.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { isForeign, workerCounts } from '../support/target.ts';

const NOBODY = 65_534;
const folders: string[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'naru-access-'));
  folders.push(path);
  return path;
}

function foldersAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [parent, ...foldersAbove(parent)];
}

afterEach(() => {
  for (const path of folders.splice(0)) {
    chmodSync(path, 0o700);
    rmSync(path, { recursive: true });
  }
});

describe('the reason', () => {
  it('names both users and the command, for a file in the directory as well', () => {
    const data = folder();
    mkdirSync(join(data, 't-0'), { mode: 0o700 });
    const { uid, gid } = statSync(data);
    const file = join(data, 't-0', '00000000000000000000.log');
    writeFileSync(file, '', { mode: 0o600 });
    const error = accessRefusal(new StorageError('EACCES', file, 'opening'), ['/other', data], { user: 12, group: 34 });
    expect(error?.message).toBe(
      `the log directory ${data} cannot be used (EACCES at ${file}): ${file} belongs to user ${uid}, group ${gid} (mode 0600), ` +
        `and naru runs as user 12, group 34. Give it the directory: chown -R 12:34 ${data}; or start naru as the owner ` +
        `(in a container --user ${uid}:${gid}); or, in a container, mount a volume there instead of a host’s folder`,
    );
  });

  it('of a directory that could not be made is its parent', () => {
    const parent = folder();
    const data = join(parent, 'deep', 'data');
    const error = accessRefusal(new StorageError('EACCES', data, 'making'), [data], { user: 12, group: 34 });
    expect(error?.message).toContain(`cannot be used (EACCES): ${parent} belongs to user`);
  });

  it('is the mode where the owner is right, and something else where that is right, too', () => {
    const data = folder();
    const { uid, gid } = statSync(data);
    const own = { user: uid, group: gid };
    chmodSync(data, 0o500);
    const refused = new StorageError('EACCES', data, 'opening');
    expect(accessRefusal(refused, [data], own)?.message).toContain(`Let it write: chmod -R u+rwX ${data}`);
    chmodSync(data, 0o700);
    expect(accessRefusal(refused, [data], own)?.message).toContain('Its mode allows it: look at the folders above');
  });

  it('of a read-only file system is how it becomes writable', () => {
    const { message } = accessRefusal(new Error("EROFS: read-only file system, open '/data/.lock'"), ['/data']) ?? {};
    expect(message).toMatch(
      /^the log directory \/data cannot be used \(EROFS at \/data\/\.lock\): its file system is mounted read-only\. /,
    );
    expect(message).toContain('ReadWritePaths=/data');
  });

  it('is not given for what is about something else', () => {
    const listen = Object.assign(new Error('listen EACCES: permission denied 127.0.0.1:80'), { code: 'EACCES', port: 80 });
    expect(accessRefusal(listen, ['/data'])).toBeNull();
    expect(accessRefusal(new StorageError('EIO', '/data/x', 'reading'), ['/data'])).toBeNull();
    expect(accessRefusal('EACCES /data', ['/data'])).toBeNull();
  });
});

describe.skipIf(isForeign).each(workerCounts(0, 2))('a start at %i workers', (workers) => {
  const isRoot = process.geteuid?.() === 0;
  // Root may use everything: it gives the folder to itself and starts the broker as nobody.
  const asOther = isRoot ? { prelude: `exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups "$0" "$@"` } : {};

  /** The broker's own files, to whoever starts it. */
  const isReadable = !isRoot || foldersAbove(import.meta.filename).every((path) => (statSync(path).mode & 0o001) !== 0);

  async function refusal(directory: string): Promise<string> {
    const broker = await BrokerProcess.launch({ workers, directory, ...asOther });
    expect(await broker.exit).toEqual({ code: 1, signal: null });
    const [line = '', ...others] = broker.failureLines;
    expect(others).toEqual([]);
    expect(broker.output.trimEnd().split('\n').at(-1)).toBe(line);
    return line;
  }

  it('in a directory of somebody else is refused in one line', async (context) => {
    context.skip(!isReadable, 'needs a tree that another user can read');
    const data = folder();
    chmodSync(data, isRoot ? 0o755 : 0o555);
    const line = await refusal(data);
    expect(line).toMatch(/^naru: the log directory \S+ cannot be used \(EACCES at \S+\/\.lock\): /);
    expect(line).toContain(isRoot ? `chown -R ${NOBODY}:${NOBODY} ${data}` : `chmod -R u+rwX ${data}`);
  });

  it('in one of its own that has a folder of somebody else is refused in one line', async (context) => {
    context.skip(!isRoot, 'needs two users');
    context.skip(!isReadable, 'needs a tree that another user can read');
    const data = folder();
    chownSync(data, NOBODY, NOBODY);
    mkdirSync(join(data, '__cluster_metadata-0'), { mode: 0o755 });
    const line = await refusal(data);
    expect(line).toMatch(/^naru: the log directory \S+ cannot be used \(EACCES at \S+\/__cluster_metadata-0\/\S+\): /);
  });
});
