// The limit of open descriptors, raised from the soft to the hard one: a broker holds one for each connection and three for
// each partition, and 1024 is what many systems begin with.
// Runs on: the main thread, once at start; the limit is the process's.
import { declareNative, isKnownLinux } from './load.ts';

const RLIMIT_NOFILE = 7;
/** What "no limit" reads as; Linux has none such for descriptors, but the type does. */
const UNLIMITED = 2n ** 64n - 1n;

/** The limit that holds now, after raising it as far as it goes. */
export type RaiseDescriptorLimit = () => number;

/** struct rlimit: the soft and the hard limit, 64 bits each. */
const limits = new BigUint64Array(2);

export const raiseDescriptorLimit = declareNative<RaiseDescriptorLimit>('raise-descriptor-limit', (library) => {
  if (!isKnownLinux) return null;
  const getrlimit = library.declare('int getrlimit(int resource, void *limits)');
  const setrlimit = library.declare('int setrlimit(int resource, void *limits)');
  const read = (): boolean => getrlimit(RLIMIT_NOFILE, limits) === 0;
  const [known, nonsense] = [read(), getrlimit(-1, limits)];
  const isSane = known && nonsense === -1 && read() && soft() > 0n && soft() <= hard();
  if (!isSane) return null;
  return () => {
    if (!read()) return 0;
    if (soft() < hard()) {
      limits[0] = hard();
      if (setrlimit(RLIMIT_NOFILE, limits) !== 0) read();
    }
    const now = soft();
    return now === UNLIMITED ? Number.POSITIVE_INFINITY : Number(now);
  };
});

function soft(): bigint {
  return limits[0] ?? 0n;
}

function hard(): bigint {
  return limits[1] ?? 0n;
}
