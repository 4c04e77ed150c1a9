import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exampleContainer, examplePod, startRuntime } from '../../src/testing/index.ts';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';

const program = resolve(import.meta.dirname, '../../bin/nri-scripts');
const script = 'export default { createContainer: () => ({ adjust: { env: { ADDED: "1" } } }) };';

type Started = { child: ChildProcess; stderr(): string; end: Promise<number | null> };

function start(t: TestContext, path: string, args: string[], env: Record<string, string> = {}): Started {
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stderr, child.stdout]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  t.after(() => child.kill('SIGKILL'));
  const end = once(child, 'close').then(([code]) => code as number | null);
  return { child, stderr: () => text, end };
}

test('it works when started through a link with an empty environment, and SIGTERM ends it cleanly', async t => {
  const { path, write } = folder(t, { 'scripts.d/10-a.js': script });
  const runtime = await startRuntime({ socketPath: join(path, 'nri.sock') });
  t.after(() => runtime.stop());
  write({ 'plugins/keep': '' });
  const link = join(path, 'plugins', '37-linked');
  symlinkSync(program, link);
  const { child, end, stderr } = start(t, link, [
    'run',
    '--socket',
    runtime.socketPath,
    '--scripts',
    join(path, 'scripts.d'),
    '--state',
    join(path, 'state'),
  ]);
  const plugin = await runtime.waitForPlugin('37-linked');
  assert.deepEqual([plugin.index, plugin.name], ['37', 'linked'], 'index and name come from the link');
  const pod = await runtime.runPod(examplePod());
  const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.ok(spec.process?.env?.includes('ADDED=1'));
  child.kill('SIGTERM');
  assert.equal(await end, 0, stderr());
  for (const line of stderr().trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), `a JSON line: ${line}`);
});

test('launched by the runtime it takes its configuration from there, and ends with the connection', async t => {
  const { path, write } = folder(t, { 'scripts.d/10-a.js': script });
  const runtime = await startRuntime({ socketPath: join(path, 'nri.sock') });
  t.after(() => runtime.stop());
  write({ 'plugins/keep': '' });
  const link = join(path, 'plugins', '50-nri-scripts');
  symlinkSync(program, link);
  const logFile = join(path, 'plugin.log');
  const config = `scripts: ${join(path, 'scripts.d')}\nstate: ${join(path, 'state')}\nlogFile: ${logFile}\nlogLevel: debug\n`;
  const plugin = await runtime.launchPlugin(link, config);
  assert.equal(plugin.launched, true);
  const pod = await runtime.runPod(examplePod());
  const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.ok(spec.process?.env?.includes('ADDED=1'));
  const pid = /"pid":(\d+)/.exec(readFileSync(logFile, 'utf8'))?.[1];
  await runtime.stop();
  await eventually(
    () => existsSync(`/proc/${pid}`),
    alive => !alive,
  );
});

test('a socket that is not there yet is said once with what to check, and then found', async t => {
  const { path } = folder(t, { 'scripts.d/10-a.js': script });
  const socket = join(path, 'nri.sock');
  const { stderr } = start(t, program, ['run', '--socket', socket, '--scripts', join(path, 'scripts.d'), '--state', join(path, 'state')]);
  await eventually(stderr, text => text.includes('NRI_SOCKET_MISSING'));
  assert.match(stderr(), /is NRI enabled in its configuration/);
  const runtime = await startRuntime({ socketPath: socket });
  t.after(() => runtime.stop());
  await runtime.waitForPlugin('50-nri-scripts');
  assert.equal(stderr().split('NRI_SOCKET_MISSING').length, 2, 'once');
});

for (const [args, code, message] of [
  [['run', '--socket'], 2, /USAGE: .*--socket/],
  [['run', '--config', '/no/such.yaml'], 2, /CONFIG_UNREADABLE: \/no\/such\.yaml cannot be read/],
  [['walk'], 2, /there is no command walk/],
  [['help'], 0, /nri-scripts run \[options\]/],
  [['run', '--help'], 0, /Examples:/],
] as const) {
  test(`nri-scripts ${args.join(' ')} says what to do and exits with ${code}`, async t => {
    const { end, stderr } = start(t, program, [...args]);
    assert.equal(await end, code);
    assert.match(stderr(), message);
  });
}

test('the demo exits with 0 and shows what changed, who failed and where', async t => {
  const { end, stderr } = start(t, program, ['demo']);
  assert.equal(await end, 0, stderr());
  assert.match(stderr(), /10-clearcfs\.ts +\S+ ms +linux\.resources\.cpu\.quota: set to -1 \(was 50000\)/);
  assert.match(stderr(), /15-throws\.ts +\S+ ms +threw at 15-throws\.ts:6:\d+: TypeError/);
  assert.match(stderr(), /25-loops\.ts +\S+ ms +was stopped at its timeout at 25-loops\.ts:6:\d+/);
  assert.match(stderr(), /0 late, 0 failed/);
});

test('doctor tries out what protects the node, and says what does not hold', async t => {
  const { path } = folder(t, { 'scripts.d/10-a.js': script, 'scripts.d/20-b.js': 'export default {' });
  const flags = ['--socket', join(path, 'nri.sock'), '--scripts', join(path, 'scripts.d'), '--state', join(path, 'state')];
  const { end, stderr } = start(t, program, ['doctor', ...flags]);
  assert.equal(await end, 1);
  assert.match(stderr(), /^ok +the sandbox process is up in \d+ ms/m);
  assert.match(stderr(), /^ok +a script that V8 cannot stop was stopped after \d+ ms/m);
  assert.match(stderr(), /^NO +no socket at /m);
  assert.match(stderr(), /^NO +SCRIPT_SYNTAX: 20-b\.js:1:\d+: /m);
  assert.match(stderr(), /^ok +\S+: 10-a\.js$/m);
});

test('it goes on when nobody reads its log any more', async t => {
  const { path } = folder(t, { 'scripts.d/10-a.js': script });
  const runtime = await startRuntime({ socketPath: join(path, 'nri.sock') });
  t.after(() => runtime.stop());
  const args = ['run', '--socket', runtime.socketPath, '--scripts', join(path, 'scripts.d'), '--state', join(path, 'state')];
  const { child, end } = start(t, program, args);
  await runtime.waitForPlugin('50-nri-scripts');
  child.stderr!.destroy();
  child.stdout!.destroy();
  const pod = await runtime.runPod(examplePod());
  for (let n = 0; n < 5; n++) {
    const { spec } = await runtime.createContainer(pod, { ...exampleContainer(pod), id: `c${n}` });
    assert.ok(spec.process?.env?.includes('ADDED=1'));
  }
  child.kill('SIGTERM');
  assert.equal(await end, 0);
});

test('a log file that cannot be written is told once, on stderr, and the plugin ends cleanly', async t => {
  const { path } = folder(t, { 'scripts.d/10-a.js': script });
  const args = ['run', '--socket', join(path, 'none.sock'), '--scripts', join(path, 'scripts.d'), '--state', join(path, 'state')];
  const { child, end, stderr } = start(t, program, [...args, '--log-file', path]);
  await eventually(stderr, text => text.includes('NRI_SOCKET_MISSING'));
  child.kill('SIGTERM');
  assert.equal(await end, 0, stderr());
  assert.equal(stderr().split('LOG_FILE').length, 2, stderr());
  assert.doesNotMatch(stderr(), /sonic boom/);
});

test('SIGTERM ends it cleanly while its scripts are being loaded', async t => {
  const { path } = folder(t, { 'scripts.d/10-hangs.js': `for (;;);\n${script}`, 'scripts.d/10-hangs.yaml': 'timeout: 10s\n' });
  const flags = ['--socket', join(path, 'nri.sock'), '--scripts', join(path, 'scripts.d'), '--state', join(path, 'state')];
  const { child, end, stderr } = start(t, program, ['run', ...flags, '--log-level', 'debug']);
  await eventually(stderr, text => text.includes('sandbox process started'));
  child.kill('SIGTERM');
  assert.equal(await end, 0, stderr());
  assert.match(stderr(), /SIGTERM: closing/);
});
