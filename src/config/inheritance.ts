// What topics take over from the broker: in the topic's unit, and only what the topic's own option takes too.
// Pure. The broker's option may allow more than the topic's behind it: log.flush.interval.ms has no lower bound, flush.ms has one.
import { ConfigError } from './define.ts';
import { type TopicOptionKey, topicOptions, topicSynonyms } from './topic-options.ts';

/** A negative retention is "for ever" in every unit, and -1 is how topics write it. */
export function inUnit(key: TopicOptionKey, text: string, factor: number): string {
  if (key === 'retentionMs' && text.startsWith('-')) return '-1';
  return factor === 1 || text.startsWith('-') ? text : String(BigInt(text) * BigInt(factor));
}

/** Why topics could not take their value from the broker's option `name` with this text, which is one that the option takes; or null. */
export function inheritanceFault(name: string, text: string): string | null {
  for (const key of Object.keys(topicSynonyms) as TopicOptionKey[]) {
    const factor = topicSynonyms[key]?.find((synonym) => synonym.name === name)?.factor;
    if (factor === undefined) continue;
    try {
      topicOptions[key].parse(inUnit(key, text.trim(), factor));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.message.replace(error.key, name);
    }
  }
  return null;
}

/**
 * Refuses a broker whose topics could not take over what it gives them: told at the start, and not at the first topic.
 * @param textOf what was given for a broker's option; undefined where nothing was
 * Throws ConfigError.
 */
export function refuseBadInheritance(textOf: (name: string) => string | undefined): void {
  for (const key of Object.keys(topicSynonyms) as TopicOptionKey[]) {
    // Of several options in several units the first that has a value is the one that counts.
    const name = topicSynonyms[key]?.find((synonym) => textOf(synonym.name) !== undefined)?.name;
    const text = name === undefined ? undefined : textOf(name);
    if (name === undefined || text === undefined) continue;
    const fault = inheritanceFault(name, text);
    if (fault !== null) throw new ConfigError(`${fault} (allowed: ${topicOptions[key].allowed})`, name, text);
  }
}
