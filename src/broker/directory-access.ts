// What to do where the system does not let this process use a log directory: whose it is, who the process is, and which command mends it.
// Runs on: the main thread, when a start has failed. Not errors of a disk that serves (docs/decisions/0014-failed-directory.md).
import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The process may not use a log directory. */
export class DirectoryAccessError extends Error {
  override readonly name = 'DirectoryAccessError';
  readonly code = 'ERR_DIRECTORY_ACCESS';
}

interface Identity {
  readonly user: number;
  readonly group: number;
}

/** Read, write, enter: what a broker does with its directory. */
const ALL_ALLOWED = 0o7;

/**
 * The refusal of one of `directories` in words that say how it is mended; null where `error` is about something else. An error of a thread has
 * its text alone, so the text is what is looked at.
 */
export function accessRefusal(
  error: unknown,
  directories: readonly string[],
  identity: Identity | null = ownIdentity(),
): DirectoryAccessError | null {
  if (!Error.isError(error)) return null;
  const errno = /\b(EACCES|EPERM|EROFS)\b/.exec(error.message)?.[1];
  const directory = directories.find((each) => error.message.includes(each));
  if (errno === undefined || directory === undefined) return null;
  const path = pathIn(error.message, directory);
  const reason = errno === 'EROFS' ? readOnly(directory) : notOwned(path, directory, identity);
  const text = `the log directory ${directory} cannot be used (${errno}${path === directory ? '' : ` at ${path}`}): ${reason}`;
  return new DirectoryAccessError(text, { cause: error });
}

/** The file or folder within `directory` that a message names. */
function pathIn(message: string, directory: string): string {
  const rest = message.slice(message.indexOf(directory) + directory.length);
  return directory + (/^\/[^\s'":,]+/.exec(rest)?.[0] ?? '');
}

function readOnly(directory: string): string {
  return (
    'its file system is mounted read-only. Mount it for writing (a container with --read-only takes a volume at ' +
    `${directory}, a systemd unit ReadWritePaths=${directory}), or name another directory in log.dirs`
  );
}

function notOwned(path: string, directory: string, identity: Identity | null): string {
  const found = nearest(path);
  const other = 'or name another directory in log.dirs';
  if (found === null || identity === null) return `this user may not write there. Give it the directory, ${other}`;
  const { at, user, group, mode } = found;
  const { user: ownUser, group: ownGroup } = identity;
  const facts = `${at} belongs to user ${user}, group ${group} (mode ${mode.toString(8).padStart(4, '0')}), and naru runs as user ${ownUser}, group ${ownGroup}`;
  if (user === ownUser) {
    if (((mode >> 6) & ALL_ALLOWED) !== ALL_ALLOWED) return `${facts}. Let it write: chmod -R u+rwX ${directory}, ${other}`;
    return `${facts}. Its mode allows it: look at the folders above, and at what else may refuse it (SELinux: a volume with :Z), ${other}`;
  }
  return (
    `${facts}. Give it the directory: chown -R ${ownUser}:${ownGroup} ${directory}; or start naru as the owner ` +
    `(in a container --user ${user}:${group}); or, in a container, mount a volume there instead of a host’s folder`
  );
}

/** The path, or the nearest folder above it that can be looked at. */
function nearest(path: string): { readonly at: string; readonly user: number; readonly group: number; readonly mode: number } | null {
  for (let at = path; ; at = dirname(at)) {
    const stats = look(at);
    if (stats !== null) return { at, user: stats.uid, group: stats.gid, mode: stats.mode & 0o7777 };
    if (at === dirname(at)) return null;
  }
}

function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** Null where users have no numbers. */
function ownIdentity(): Identity | null {
  const { geteuid, getegid } = process;
  return geteuid === undefined || getegid === undefined ? null : { user: geteuid(), group: getegid() };
}
