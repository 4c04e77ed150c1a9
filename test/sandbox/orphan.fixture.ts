/** A host whose sandbox hangs in a builtin: prints the sandbox process' id, and waits to be killed. */
import { monotonicNow, openSandbox } from '../../src/sandbox/index.ts';

const sandbox = openSandbox({ onLog() {}, onLookup: () => 'null', onLost() {} });
const code = '__define((m, exports) => { exports.default = { createContainer() { const a = []; a[4294967294] = 1; a.sort(); } }; });';
await sandbox.load({ id: 'a', name: 'a', code, config: 'null', timeout: 60_000, memory: 64 << 20, allow: [], shadow: false });
await sandbox.idle();
const { pid, holds } = sandbox.state();
const event = { handler: 'createContainer' as const, scripts: ['a'], compose: 'none' as const, input: () => ({}) };
void sandbox.run({ ...event, deadline: monotonicNow() + 60_000 }, () => {});
console.log(JSON.stringify({ pid, diesWithHost: holds.diesWithHost }));
