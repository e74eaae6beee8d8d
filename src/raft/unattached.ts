// A node that knows an epoch and no leader of it: how each node starts, and what it falls back to when it hears of a higher epoch.
// Pure.

export class Unattached {
  readonly role = 'unattached';
  readonly epoch: number;
  /** When it stops waiting for a leader and asks for votes itself, on the clock of the events. */
  readonly deadlineMs: number;

  constructor(epoch: number, deadlineMs: number) {
    this.epoch = epoch;
    this.deadlineMs = deadlineMs;
  }
}
