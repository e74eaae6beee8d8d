// By which name clients are told this machine where a listener names none.
// Source: as Apache Kafka does it (the canonical name of the local host): what a machine calls itself is often short, and means nothing to
// others, while what its address is called leads there.
// Runs on: the main thread, at the start.
import { lookup, lookupService } from 'node:dns/promises';
import { hostname } from 'node:os';

/**
 * What the address behind `own` is called, where that leads back to the address; otherwise the address. `own` itself where it leads nowhere.
 */
export async function canonicalHostName(own: string = hostname()): Promise<string> {
  const address = await lookup(own, { order: 'ipv4first' }).then(
    (found) => found.address,
    () => null,
  );
  if (address === null) return own;
  try {
    const { hostname: name } = await lookupService(address, 0);
    const found = await lookup(name, { all: true });
    if (found.some((each) => each.address === address)) return name;
  } catch {
    // It has no name, or one that leads nowhere.
  }
  return address;
}
