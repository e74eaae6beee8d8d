// Reads Prometheus' text format by its grammar, strictly: what a scraper would stumble over is an error here.
// Source: "Text-based format" of Prometheus' documentation on exposition formats.

export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'], counter: [''], gauge: [''] };

/** The families by name. Throws at the first line that breaks the grammar. */
export function parseMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: { name: string; help: string; family: Family | null } | null = null;
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const fail = (reason: string): never => {
      throw new Error(`line ${index + 1}, "${line}": ${reason}`);
    };
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (!NAME.test(name)) fail('no name');
      if (families.has(name)) fail('a family stands in two pieces');
      current = { name, help: rest, family: null };
    } else if (keyword === 'TYPE') {
      if (current?.name !== name || current.family !== null) return fail('TYPE without its HELP');
      if (SUFFIXES[rest] === undefined) fail('no type');
      current.family = { type: rest, help: current.help, samples: [] };
      families.set(name, current.family);
    } else {
      const sample = parseSample(line) ?? fail('no sample');
      const family = current?.family ?? null;
      if (current === null || family === null) return fail('a sample of no family');
      const suffix = sample.name.startsWith(current.name) ? sample.name.slice(current.name.length) : '?';
      if (SUFFIXES[family.type]?.includes(suffix) !== true) fail(`a sample of another family than ${current.name}`);
      const key = `${sample.name}${JSON.stringify([...sample.labels].sort())}`;
      if (seen.has(key)) fail('the same sample twice');
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function parseSample(line: string): Sample | null {
  const [, name, labelText = '', valueText = ''] = LINE.exec(line) ?? [];
  if (name === undefined) return null;
  const labels = new Map<string, string>();
  for (let at = 0; at < labelText.length; ) {
    LABEL.lastIndex = at;
    const [whole, label = '', value = ''] = LABEL.exec(labelText) ?? [];
    if (whole === undefined || labels.has(label)) return null;
    labels.set(
      label,
      value.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter)),
    );
    at += whole.length;
  }
  const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
  return Number.isNaN(value) ? null : { name, labels, value };
}

/** Counters are none below zero; a histogram's buckets rise, the last one is +Inf and equals the count. */
function checkFamily(name: string, { type, samples }: Family): void {
  if (samples.length === 0) throw new Error(`${name} has no sample`);
  if (type === 'counter' && samples.some(({ value }) => value < 0)) throw new Error(`${name} counts below zero`);
  if (type !== 'histogram') return;
  const rows = new Map<string, { le: number; count: number }[]>();
  const rowOf = (labels: ReadonlyMap<string, string>): string => JSON.stringify([...labels].filter(([label]) => label !== 'le'));
  for (const { name: sampleName, labels, value } of samples) {
    if (sampleName !== `${name}_bucket`) continue;
    const le = labels.get('le') ?? '';
    const row = rows.get(rowOf(labels)) ?? [];
    rows.set(rowOf(labels), row);
    row.push({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: value });
  }
  for (const [key, row] of rows) {
    for (let at = 1; at < row.length; at++) {
      const [before, each] = [row[at - 1], row[at]];
      if (before === undefined || each === undefined || before.le >= each.le || before.count > each.count)
        throw new Error(`${name} ${key}: buckets fall`);
    }
    const count = samples.find((each) => each.name === `${name}_count` && rowOf(each.labels) === key)?.value;
    if (row.at(-1)?.le !== Number.POSITIVE_INFINITY || row.at(-1)?.count !== count) throw new Error(`${name} ${key}: count`);
  }
}

/** The sum of the samples of that name whose labels have these values; 0 where there is none. */
export function total(families: ReadonlyMap<string, Family>, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const family = families.get(name) ?? families.get(name.replace(/_(?:sum|count|bucket)$/, ''));
  let sum = 0;
  for (const sample of family?.samples ?? []) {
    if (sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value)) sum += sample.value;
  }
  return sum;
}
