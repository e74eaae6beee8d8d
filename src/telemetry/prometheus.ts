// Prometheus' text format 0.0.4: families of samples, with their HELP and TYPE lines, each family once and in one piece.
// Pure. Why there is no library for it: docs/decisions/0019-metrics.md.

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type MetricType = 'counter' | 'gauge' | 'histogram';

/** A family: one row, from which the text and the reference page come. */
export interface MetricRow {
  readonly name: string;
  readonly type: MetricType;
  readonly labels: readonly string[];
  readonly help: string;
  /** How many samples there can be, in words, where labels are not from a short list. */
  readonly cardinality?: string;
}

/** Writes the samples of the rows in whatever order they come. */
export class MetricsText {
  readonly #lines = new Map<string, string[]>();

  /** Values of the row's labels, in order. */
  sample(row: MetricRow, labels: readonly (string | number)[], value: number): void {
    this.#of(row).push(`${row.name}${labelText(row.labels, labels)} ${numberText(value)}\n`);
  }

  /** Counts by bound, one more for all above, none of them cumulative; `scale` brings bounds and sum to the row's unit. */
  histogram(row: MetricRow, labels: readonly (string | number)[], bounds: readonly number[], counts: Histogram, scale: number): void {
    const lines = this.#of(row);
    let cumulative = 0;
    for (const [index, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
      cumulative += counts.counts[index] ?? 0;
      lines.push(`${row.name}_bucket${labelText([...row.labels, 'le'], [...labels, numberText(scaled(bound, scale))])} ${cumulative}\n`);
    }
    lines.push(`${row.name}_sum${labelText(row.labels, labels)} ${numberText(counts.sum * scale)}\n`);
    lines.push(`${row.name}_count${labelText(row.labels, labels)} ${cumulative}\n`);
  }

  /** The page: the families that have samples, in the order in which they came first. */
  toString(): string {
    return [...this.#lines.values()].map((lines) => lines.join('')).join('');
  }

  #of(row: MetricRow): string[] {
    let lines = this.#lines.get(row.name);
    if (lines === undefined) {
      lines = [`# HELP ${row.name} ${row.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`, `# TYPE ${row.name} ${row.type}\n`];
      this.#lines.set(row.name, lines);
    }
    return lines;
  }
}

/** Of several workers together. */
export interface Histogram {
  readonly sum: number;
  readonly counts: readonly number[];
}

/** Adds up the histograms that begin at `at` in the blocks of several workers. */
export function addHistograms(blocks: readonly Float64Array[], at: number, bounds: readonly number[]): Histogram {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  for (const block of blocks) {
    sum += block[at] as number;
    for (let bucket = 0; bucket < counts.length; bucket++) counts[bucket] = (counts[bucket] as number) + (block[at + 1 + bucket] as number);
  }
  return { sum, counts };
}

/** 0.1 ms is 0.0001 s, not 0.00010000000000000002. */
function scaled(bound: number, scale: number): number {
  return Number((bound * scale).toPrecision(12));
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function labelText(names: readonly string[], values: readonly (string | number)[]): string {
  if (names.length === 0) return '';
  const text = (value: string | number): string => String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `{${names.map((name, at) => `${name}="${text(values[at] ?? '')}"`).join(',')}}`;
}
