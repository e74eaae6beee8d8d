// What a page of the documentation tells people to type or to write, so that the tests do just that.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The first fenced block below a heading. */
export function blockOf(page: string, heading: string): string {
  const text = readFileSync(resolve(import.meta.dirname, '../../../docs', page), 'utf8');
  const [, section] = text.split(`\n## ${heading}\n`);
  const [, block] = /\n```\w*\n([\s\S]*?)\n```\n/.exec(section ?? '') ?? [];
  if (block === undefined) throw new Error(`docs/${page} has no block below "${heading}"`);
  return block;
}

/** The lines of a properties file as the variables that say the same. */
export function asVariables(properties: string): Record<string, string> {
  const pairs = properties.split('\n').map((line) => {
    const at = line.indexOf('=');
    return [`NARU_${line.slice(0, at).toUpperCase().replaceAll('.', '_')}`, line.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}
