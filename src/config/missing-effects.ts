// Which options are accepted without doing what they say, so that whoever sets one is told.
// Invariant: a broker option that topics take a value from does as much as the topics' option does.
// Pure. The marks themselves stand in the rows.
import type { Option } from './define.ts';
import { topicOptions, topicSynonyms } from './topic-options.ts';

/** By broker option: the topic's options that take its value. */
const topicRowsBehind: ReadonlyMap<string, readonly Option<unknown>[]> = gather();

/** What a broker's or a topic's option lacks, after its name and "is known but"; null where it does what it says. */
export function missingEffect(row: Option<unknown>): string | null {
  if (row.noEffectYet !== null) return row.noEffectYet;
  const behind = topicRowsBehind.get(row.name) ?? [];
  return behind.every(({ noEffectYet }) => noEffectYet !== null) ? (behind[0]?.noEffectYet ?? null) : null;
}

function gather(): Map<string, Option<unknown>[]> {
  const rows = new Map<string, Option<unknown>[]>();
  for (const [key, synonyms] of Object.entries(topicSynonyms)) {
    for (const { name } of synonyms) {
      const behind = rows.get(name) ?? [];
      behind.push(topicOptions[key as keyof typeof topicOptions]);
      rows.set(name, behind);
    }
  }
  return rows;
}
