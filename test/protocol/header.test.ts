// Headers: which version goes with which API, and that nothing in one is believed.
import { describe, expect, it } from 'vitest';
import { ByteReader, DecodeError } from '../../src/base/byte-reader.ts';
import { API, apiName } from '../../src/protocol/api-keys.ts';
import {
  decodeHeaderRest,
  decodeHeaderStart,
  isRequestFlexible,
  isResponseHeaderFlexible,
  type RequestHeader,
  responseHeaderBytes,
} from '../../src/protocol/header.ts';

function read(hex: string, known: string | null = null): { header: RequestHeader; position: number } {
  const reader = new ByteReader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const header: RequestHeader = { apiKey: -1, apiVersion: -1, correlationId: -1, clientId: 'of the request before' };
  decodeHeaderStart(reader, header);
  decodeHeaderRest(reader, header, known);
  return { header, position: reader.position };
}

describe('request headers', () => {
  it.each([
    ['0000 0008 00000007 0004 6e617275 aa', { apiKey: 0, apiVersion: 8, correlationId: 7, clientId: 'naru' }, 14],
    ['0000 0009 00000007 0004 6e617275 00 aa', { apiKey: 0, apiVersion: 9, correlationId: 7, clientId: 'naru' }, 15],
    ['0000 0009 ffffffff ffff 01 05 02 1122 aa', { apiKey: 0, apiVersion: 9, correlationId: -1, clientId: null }, 15],
    ['0012 0003 00000001 0000 00', { apiKey: 18, apiVersion: 3, correlationId: 1, clientId: '' }, 11],
  ])('%s', (hex, header, position) => {
    expect(read(hex)).toEqual({ header, position });
    expect(read(hex, 'naru')).toEqual({ header, position });
    expect(read(hex, 'other')).toEqual({ header, position });
  });

  it.each([
    ['0000 0008 00000007 0005 6e617275'],
    ['0000 0008 00000007 fffe'],
    ['0000 0008 00000007 7fff 61'],
    ['0000 0008 00000007 00'],
    ['0000 0009 00000007 ffff'],
    ['0000 0009 00000007 ffff 01 00 05 00'],
    ['0000 0008 0000'],
  ])('%s is refused', (hex) => {
    expect(() => read(hex)).toThrow(DecodeError);
    expect(() => read(hex, 'naru5')).toThrow(DecodeError);
  });
});

describe('response headers', () => {
  it.each([
    [API.Produce, 8, false, 4],
    [API.Produce, 9, true, 5],
    [API.Fetch, 11, false, 4],
    [API.Fetch, 12, true, 5],
    [API.ApiVersions, 0, false, 4],
    [API.ApiVersions, 4, false, 4],
    [API.DescribeCluster, 0, true, 5],
  ])('of API %i version %i', (apiKey, version, isFlexible, sizeBytes) => {
    expect(isResponseHeaderFlexible(apiKey, version)).toBe(isFlexible);
    expect(responseHeaderBytes(apiKey, version)).toBe(sizeBytes);
  });

  it('of ApiVersions stay as they were, though its requests are flexible', () => {
    expect(isRequestFlexible(API.ApiVersions, 3)).toBe(true);
  });
});

it('keys have names, and numbers where they have none', () => {
  expect([API.Produce, API.ApiVersions, API.DeleteShareGroupOffsets]).toEqual([0, 18, 92]);
  expect([apiName(1), apiName(500)]).toEqual(['Fetch', 'API 500']);
});
