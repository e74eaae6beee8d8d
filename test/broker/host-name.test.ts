import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { canonicalHostName } from '../../src/broker/host-name.ts';

test('an address is told by its name, a name by what its address is called', async () => {
  expect(await canonicalHostName('127.0.0.1')).toBe('localhost');
  expect(await canonicalHostName('localhost')).toBe('localhost');
});

test('an address without a name is told as it is', async () => {
  // Of the addresses that are kept for examples (RFC 5737).
  expect(isIP(await canonicalHostName('192.0.2.77'))).toBe(4);
});

test('a name that leads nowhere is told as it is', async () => {
  expect(await canonicalHostName('nowhere.invalid')).toBe('nowhere.invalid');
});
