// What a subscription to clients' metrics may say.
// Pure.
// Source: KIP-714; the words were recorded from Apache Kafka 4.3.1 (test/golden/answers/config-changes/groups.json).
import { ConfigError } from './define.ts';
import { clientMetricsOptions } from './group-options.ts';

const rows = new Map(clientMetricsOptions.map((row) => [row.name, row]));

const SELECTORS: ReadonlySet<string> = new Set([
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
]);
const INTERVAL_MIN_MS = 100;
const INTERVAL_MAX_MS = 3_600_000;

/** A refusal: Kafka calls some of them a bad request and the others a bad configuration. */
export interface MetricsFault {
  readonly isBadRequest: boolean;
  readonly message: string;
}

export function clientMetricsFault(texts: ReadonlyMap<string, string>): MetricsFault | null {
  for (const name of texts.keys()) {
    if (!rows.has(name)) return { isBadRequest: true, message: `Unknown client metrics configuration: ${name}` };
  }
  try {
    for (const [name, row] of rows) {
      const text = texts.get(name);
      if (text !== undefined) row.parse(text);
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { isBadRequest: false, message: error.message };
  }
  return intervalFault(texts.get('interval.ms')) ?? matchFault(texts.get('match'));
}

function intervalFault(text: string | undefined): MetricsFault | null {
  const interval = text === undefined ? INTERVAL_MIN_MS : Number(text);
  if (interval >= INTERVAL_MIN_MS && interval <= INTERVAL_MAX_MS) return null;
  const bounds = `interval must be between ${INTERVAL_MIN_MS} and ${INTERVAL_MAX_MS} (1 hour)`;
  return { isBadRequest: true, message: `Invalid value ${interval} for interval.ms, ${bounds}` };
}

/** `selector=pattern`, with commas between them. A pattern is never run here: what reads it says whether it can. */
function matchFault(text: string | undefined): MetricsFault | null {
  for (const item of (text ?? '').trim() === '' ? [] : (text ?? '').split(',')) {
    const pair = item.trim();
    const parts = pair.split('=');
    const [selector = '', pattern = ''] = parts;
    if (parts.length === 2 && pattern !== '' && SELECTORS.has(selector.trim()) && isPattern(pattern.trim())) continue;
    return { isBadRequest: false, message: `Illegal client matching pattern: ${pair}` };
  }
  return null;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
