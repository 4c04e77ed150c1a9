import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Match, matcherOf, matchesGlob, readMatch } from '../../src/scripts/match.ts';

const pod = { name: 'web-1', namespace: 'shop', labels: { app: 'web' }, annotations: { 'qos.class': 'ls' }, runtimeHandler: '' };
const matches = (match: Match, container?: { name: string }) => matcherOf(match)(pod, container);

test('without match a script runs for everything', () => {
  assert.ok(matcherOf(undefined)(pod, undefined));
});

for (const [match, expected] of [
  [{ namespaces: ['shop'] }, true],
  [{ namespaces: ['sh*', '!shop'] }, false],
  [{ namespaces: ['!kube-*'] }, true],
  [{ namespaces: ['kube-*'] }, false],
  [{ pods: ['web-?'] }, true],
  [{ labels: { app: ['web', 'db'] } }, true],
  [{ labels: { app: ['!web'] } }, false],
  [{ labels: { tier: ['front'] } }, false],
  [{ labels: { tier: ['!back'] } }, true],
  [{ labels: { toString: ['*'] } }, false],
  [{ annotations: { 'qos.class': ['ls'] }, namespaces: ['shop'] }, true],
  [{ annotations: { 'qos.class': ['ls'] }, namespaces: ['bar'] }, false],
  [{ runtimeHandler: [''] }, true],
  [{ runtimeHandler: ['kata*'] }, false],
] as Array<[Match, boolean]>) {
  test(`${JSON.stringify(match)} ${expected ? 'includes' : 'excludes'} the pod`, () => assert.equal(matches(match), expected));
}

test('container names count in the events of containers only', () => {
  assert.equal(matches({ containers: ['app'] }, { name: 'sidecar' }), false);
  assert.equal(matches({ containers: ['app'] }, { name: 'app' }), true);
  assert.equal(matches({ containers: ['app'] }), true);
});

test('a glob of many stars over a long value stays fast', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(100_000)), false);
});

test('unknown keys and wrong values are refused by name', () => {
  assert.throws(() => readMatch({ namespace: 'x' }), /namespace: there is no such key; there are namespaces/);
  assert.throws(() => readMatch({ pods: [{}] }), /pods: expected a glob/);
  assert.throws(() => readMatch({ labels: ['a'] }), /labels: expected globs by key/);
});
