// A member of a classic group: what it said when it joined, the assignment its leader gave it, and the questions of it that wait.
// Pure.

export interface ClassicProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

/** No question waits. */
export const NO_TOKEN = -1;

export const NO_BYTES = new Uint8Array(0);

export class ClassicMember {
  readonly memberId: string;
  /** Null: a dynamic member. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Key of the session timer: made once, since each heartbeat needs it. */
  readonly sessionKey: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  /** In the order of the member's preference, each name once. */
  protocols: readonly ClassicProtocol[];
  assignment: Uint8Array = NO_BYTES;
  /** The JoinGroup that waits for the round to complete. */
  joinToken = NO_TOKEN;
  joinVersion = 0;
  /** The SyncGroup that waits for the leader's. */
  syncToken = NO_TOKEN;
  /** Has not been in a completed round yet: a session that ends removes it even while its JoinGroup waits. */
  isNew = false;

  constructor(
    identity: { readonly memberId: string; readonly instanceId: string | null; readonly clientId: string; readonly clientHost: string },
    given: { readonly rebalanceTimeoutMs: number; readonly sessionTimeoutMs: number; readonly protocols: readonly ClassicProtocol[] },
    sessionKey: string,
  ) {
    this.memberId = identity.memberId;
    this.instanceId = identity.instanceId;
    this.clientId = identity.clientId;
    this.clientHost = identity.clientHost;
    this.sessionKey = sessionKey;
    this.rebalanceTimeoutMs = given.rebalanceTimeoutMs;
    this.sessionTimeoutMs = given.sessionTimeoutMs;
    this.protocols = given.protocols;
  }

  get isAwaitingJoin(): boolean {
    return this.joinToken !== NO_TOKEN;
  }

  /** Whether it is heard from without heartbeats: a question of it waits. */
  get isWaiting(): boolean {
    return !this.isNew && (this.joinToken !== NO_TOKEN || this.syncToken !== NO_TOKEN);
  }

  /** What it says under a protocol; empty where it does not know it. */
  metadata(protocolName: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES;
  }

  /** Whether `protocols` are the same, with the same contents in the same order. */
  matches(protocols: readonly ClassicProtocol[]): boolean {
    if (protocols.length !== this.protocols.length) return false;
    return protocols.every(({ name, metadata }, index) => {
      const own = this.protocols[index];
      return own !== undefined && own.name === name && isSameBytes(own.metadata, metadata);
    });
  }
}

/** Each name once, the first of its kind: a name that is said twice counts as one vote. */
export function distinctProtocols(protocols: readonly ClassicProtocol[]): readonly ClassicProtocol[] {
  const names = new Set<string>();
  for (const { name } of protocols) names.add(name);
  if (names.size === protocols.length) return protocols;
  return protocols.filter(({ name }) => names.delete(name));
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
