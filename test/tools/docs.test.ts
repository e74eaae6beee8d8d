import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { PAGES } from '../../tools/gen-docs.ts';

test.each(Object.entries(PAGES))('%s is what the rows say (npm run docs writes it)', (path, page) => {
  expect(readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8')).toBe(page());
});
