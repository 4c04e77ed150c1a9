import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { combine, parseConfig, parseFlags, readConfigFile } from '../../src/cli/run-options.ts';
import { folder } from '../support/folder.ts';

const refusal = (code: string, message: RegExp) => (error: unknown) => {
  assert.equal((error as { code: string }).code, code);
  assert.match((error as Error).message, message);
  return true;
};

test('flags are read, and paths become absolute', () => {
  const parsed = parseFlags([
    '--socket',
    '/run/x.sock',
    '--scripts',
    'here',
    '--index',
    '07',
    '--log-level',
    'debug',
    '--config',
    'c.yaml',
  ]);
  assert.deepEqual(parsed?.flags, { socket: '/run/x.sock', scripts: join(process.cwd(), 'here'), index: '07', logLevel: 'debug' });
  assert.equal(parsed?.config, 'c.yaml');
});

test('help is told from options', () => {
  assert.equal(parseFlags(['--help']), undefined);
});

for (const [args, code, message] of [
  [['--sockett', 'x'], 'USAGE', /--sockett/],
  [['stray'], 'USAGE', /stray/],
  [['--index', '7'], 'CONFIG_INVALID', /--index: expected two digits, 00 to 99, got "7"/],
  [['--name', 'a b'], 'CONFIG_INVALID', /--name: expected letters, digits/],
  [['--log-level', 'loud'], 'CONFIG_INVALID', /--log-level: expected debug, info, warn or error/],
] as const) {
  test(`${args.join(' ')} is refused with what it takes`, () => {
    assert.throws(() => parseFlags([...args]), refusal(code, message));
  });
}

test('a flag counts before the runtime’s configuration, and that before the file', () => {
  const options = combine({ name: 'flag' }, { name: 'runtime', index: '11' }, { name: 'file', index: '12', logLevel: 'warn' });
  assert.deepEqual([options.name, options.index, options.logLevel, options.socket], ['flag', '11', 'warn', '/var/run/nri/nri.sock']);
});

test('configuration is YAML with known keys, or refused by name', () => {
  assert.deepEqual(parseConfig('scripts: /a\nindex: 10\n', 'c.yaml'), { scripts: '/a', index: '10' });
  assert.deepEqual(parseConfig('', 'c.yaml'), {});
  assert.throws(
    () => parseConfig('script: /a', 'c.yaml'),
    refusal('CONFIG_INVALID', /c\.yaml: script: no such setting; there are socket, scripts/),
  );
  assert.throws(() => parseConfig('a: [', 'c.yaml'), refusal('CONFIG_SYNTAX', /c\.yaml: /));
  assert.throws(() => parseConfig('- a', 'c.yaml'), refusal('CONFIG_INVALID', /expected keys/));
});

test('a configuration file that was named must be there', t => {
  const { path } = folder(t, { 'c.yaml': 'name: x' });
  assert.deepEqual(readConfigFile(join(path, 'c.yaml')), { name: 'x' });
  assert.throws(() => readConfigFile(join(path, 'none.yaml')), refusal('CONFIG_UNREADABLE', /none\.yaml cannot be read/));
});

test('a configuration file that others can write is refused, with what to do', t => {
  const { path, write } = folder(t, {});
  write({ 'c.yaml': 'logLevel: debug\n' });
  const file = `${path}/c.yaml`;
  assert.deepEqual(readConfigFile(file), { logLevel: 'debug' });
  chmodSync(file, 0o666);
  assert.throws(() => readConfigFile(file), { code: 'CONFIG_UNSAFE', message: /can be written by everybody.*chmod go-w/ });
});
