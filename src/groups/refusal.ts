// Why a request is refused, where a client shows more than the code: a decider gives it in place of what it would have decided.
// Pure.

export class Refusal {
  readonly errorCode: number;
  /** Null: the code says it all. */
  readonly message: string | null;

  constructor(errorCode: number, message: string | null) {
    this.errorCode = errorCode;
    this.message = message;
  }
}
