// What an actor is to the rest of Naru. An actor owns its state alone, hears messages, runs each to completion,
// is never re-entered and never awaits: slow work is submitted and comes back as a message of a later turn.
// Pure (types only).

/** The round of a worker's run loop in which an actor is heard. */
export interface Turn {
  /** Wall clock in ms, read once a turn. */
  readonly nowMs: number;
  /** Monotonic clock in ms, read once a turn. */
  readonly monotonicMs: number;
  /** Asks for one `onTurnEnd` of this turn; asking twice is asking once. */
  touch(actor: TurnEndActor): void;
}

/** An actor with work to finish for all messages of a turn at once (gathered writes, publishing, waking). */
export interface TurnEndActor {
  onTurnEnd(turn: Turn): void;
}
