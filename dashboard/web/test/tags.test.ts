import { describe, expect, test } from 'vitest';

import { found, type Named } from '../src/state/names.ts';
import { isTagDimension, isTagged, taggedText, taggedWith, tagOf, tagsText, tagWords } from '../src/words/tags.ts';
import { normalisedTarget } from '../src/words/target.ts';

describe('labels of clients and targets', () => {
  test('are told by name and value', () => {
    expect(tagsText({ site: 'Oslo', team: '<b>\u202e' })).toBe('site Oslo, team <b>[U+202E]');
    expect(tagsText(undefined)).toBe('');
  });

  test('a dimension is told in words', () => {
    expect(tagWords('client.team')).toBe('client team');
    expect(['isp', 'client', 'client.', 'client.a-b', 'server.team', 'client.a.b'].map(tagWords)).toEqual(
      Array(6).fill(null),
    );
    expect(isTagDimension('target._9')).toBe(true);
  });

  test('a label is asked for with its value', () => {
    expect(['client.team=core', 'target.a=', 'client.a=b=c'].map(isTagged)).toEqual([true, true, true]);
    expect(['client.team', 'team=core', 'client.a-b=c', '=client.a'].map(isTagged)).toEqual(Array(4).fill(false));
    expect(taggedText('client.team=a=<b>\u202e')).toBe('client team a=<b>[U+202E]');
    expect(taggedText('target.service=')).toBe('target service (empty)');
  });

  test('another value of a label takes the place of the one before', () => {
    const both = taggedWith(['client.team=core', 'client.teams=x'], 'client.team', 'edge');
    expect(both).toEqual(['client.teams=x', 'client.team=edge']);
    const many = Array.from({ length: 9 }, (_, nth) => `client.k${nth}=v` as const);
    expect(taggedWith(many, 'client.team', 'core')).toEqual([...many.slice(2), 'client.team=core']);
  });

  test('a value is found by its dimension, and nothing else is', () => {
    const tagged = { client_labels: { team: 'core' }, target_labels: {} };
    expect(tagOf(tagged, 'client.team')).toBe('core');
    expect(tagOf(tagged, 'target.team')).toBeNull();
    expect(tagOf(tagged, 'client.constructor')).toBeNull();
  });
});

describe('a target that somebody types', () => {
  test.each([
    ['https://api.example.com', 'https://api.example.com/'],
    ['HTTPS://API.example.com:443', 'https://api.example.com/'],
    ['https://Api.Example.com:0443/', 'https://api.example.com/'],
    ['http://a.test:443', 'http://a.test:443/'],
    ['http://a.test?Q=1', 'http://a.test/?Q=1'],
    ['http://a.test#Part', 'http://a.test/#Part'],
    ['https://A.test/Path/?Query=A:443#Part', 'https://a.test/Path/?Query=A:443#Part'],
    ['https://a.test//', 'https://a.test//'],
    ['TCP://Host.test:22/', 'tcp://host.test:22'],
    ['tcp://host.test:443', 'tcp://host.test:443'],
    ['icmp://HOST.test/', 'icmp://host.test'],
    ['dns://NS.test:53/Www.Example.com', 'dns://ns.test/Www.Example.com'],
    ['http://[FE80::1%25Eth0]:80/', 'http://[fe80::1%25Eth0]/'],
    ['https://User@A.test', 'https://User@a.test/'],
    ['https://', 'https://'],
    ['ftp://A.test', 'ftp://A.test'],
    ['A name', 'A name'],
  ])('%s has the spelling of its rows', (typed, expected) => {
    expect(normalisedTarget(typed)).toBe(expected);
    expect(normalisedTarget(expected)).toBe(expected);
  });

  test('is found in both spellings', () => {
    const named = (name: string): Named => ({ kind: 'target', name, about: '' });
    const names = [named('https://a.test/'), named('HTTPS://A.test:443'), named('https://b.test/')];
    expect(found(names, 'HTTPS://A.test:443', 9).map(({ name }) => name)).toEqual([
      'https://a.test/',
      'HTTPS://A.test:443',
    ]);
    expect(found(names, 'b.test', 9).map(({ name }) => name)).toEqual(['https://b.test/']);
  });
});
