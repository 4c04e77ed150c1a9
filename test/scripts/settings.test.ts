import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptProblem } from '../../src/scripts/problem.ts';
import { parseSettings } from '../../src/scripts/settings.ts';

function problem(text: string): string {
  try {
    parseSettings(text, '10-a.yaml', []);
    return '';
  } catch (error) {
    assert.ok(error instanceof ScriptProblem);
    return error.message;
  }
}

test('a key that stands twice is told with its place, at any depth', () => {
  assert.equal(problem('timeout: 5ms\nmode: shadow\ntimeout: 6ms'), '10-a.yaml:3:1: timeout stands twice');
  assert.equal(problem('config: { a: { b: 1, b: 2 } }'), '10-a.yaml:1:22: b stands twice');
});

test('a configuration that contains itself is refused, as it cannot cross into the sandbox', () => {
  assert.match(problem('config: &c { self: *c }'), /^10-a\.yaml: config: expected what JSON can say/);
});

test('a key that is no text is refused, and nothing is written to stderr about it', t => {
  const emit = t.mock.method(process, 'emitWarning', () => {});
  assert.match(problem('config:\n  ? [a, b]\n  : c'), /^10-a\.yaml:2:5: .*keys must be strings/);
  assert.equal(emit.mock.callCount(), 0);
});

test('a file of as many keys as fit is read at once', t => {
  const keys = (count: number) => `config:\n${Array.from({ length: count }, (_, n) => `  k${n}: 1`).join('\n')}`;
  const millis = (text: string) => {
    const started = process.cpuUsage().user;
    parseSettings(text, '10-a.yaml', []);
    return (process.cpuUsage().user - started) / 1000;
  };
  millis(keys(1000));
  const [few, many] = [millis(keys(2000)), millis(keys(16_000))];
  t.diagnostic(`${few} ms, ${many} ms`);
  assert.ok(many < 40 * few + 100, `time grows with the keys, not with their square: ${few} ms, ${many} ms`);
});
