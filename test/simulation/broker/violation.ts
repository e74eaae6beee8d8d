// What a scenario throws when one of its invariants does not hold: never taken for an error of the broker's own.

export class Violation extends Error {
  override readonly name = 'Violation';
}
