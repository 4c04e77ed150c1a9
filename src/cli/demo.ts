/** `nri-scripts demo`: the bundled examples, and two scripts that misbehave, at work against the embedded runtime. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createHost, type EventReport, type ScriptReport } from '../host/index.ts';
import { connectPlugin, createCodec } from '../nri/index.ts';
import { exampleContainer, examplePod, startRuntime } from '../testing/index.ts';
import { demoReport } from './demo-report.ts';

const examples = fileURLToPath(new URL('../../scripts-examples/', import.meta.url));

const misbehaving = {
  '15-throws.ts': `import type { Script } from 'nri-scripts';

export default {
  createContainer({ container }) {
    const user: { name: string } | undefined = container.annotations['no-such-key'] ? { name: 'x' } : undefined;
    return { adjust: { env: { USER_NAME: user!.name } } };
  },
} satisfies Script;
`,
  '25-loops.ts': `import type { Script } from 'nri-scripts';

export default {
  createContainer() {
    let n = 0;
    for (;;) n += 1;
  },
} satisfies Script;
`,
};

const pods = [
  { pod: { name: 'web', annotations: { 'qos.class': 'ls' } }, containers: ['app', 'sidecar'] },
  {
    pod: {
      name: 'storage',
      annotations: {
        'devices.noderesource.dev/container.fuse': '- path: /dev/fuse\n  type: c\n  major: 10\n  minor: 229\n  file_mode: 0666\n',
        'mounts.noderesource.dev': '- source: /srv/models\n  destination: /models\n  type: bind\n  options: [rbind, ro]\n',
      },
    },
    containers: ['fuse', 'app'],
  },
];

const usage = `nri-scripts demo: the bundled examples, and two scripts that misbehave, against an embedded runtime

Usage: nri-scripts demo

It needs no root and no containerd, and leaves nothing behind.
`;

export async function demo(args: string[]): Promise<number> {
  if (args.length > 0) {
    process.stdout.write(usage);
    return args.every(arg => ['--help', '-h'].includes(arg)) ? 0 : 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'nri-scripts-demo-'));
  try {
    return await play(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(folder: string): Promise<number> {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const scripts = prepareScripts(join(folder, 'scripts.d'));
  const reports: EventReport[] = [];
  const runtime = await startRuntime({ socketPath: join(folder, 'nri.sock'), version: 'v2.2.1' });
  const host = createHost({
    scripts,
    state: join(folder, 'state'),
    logger: pino({ level: 'error', base: null }, { write: line => say(`  ! ${JSON.parse(line).msg}`) }),
    onReport: report => reports.push(report),
  });
  await host.ready();
  const connection = connectPlugin({
    endpoint: { path: runtime.socketPath },
    name: 'nri-scripts',
    index: '50',
    codec: createCodec(),
    handlers: host.handlers,
  });
  await runtime.waitForPlugin('50-nri-scripts');
  say(
    `connected to the embedded runtime (containerd v2.2.1, NRI 0.11) with\n${host
      .active()
      .map(script => script.name)
      .join(', ')}`,
  );

  let failed = 0;
  const show = async (operation: string, carryOut: () => Promise<unknown>) => {
    await host.settled();
    const seen = reports.length;
    const started = performance.now();
    let error: string | undefined;
    try {
      await carryOut();
    } catch (thrown) {
      failed += 1;
      error = String(thrown);
    }
    const millis = performance.now() - started;
    await host.settled();
    say(
      demoReport(
        operation,
        reports.slice(seen).filter(report => report.scripts.some(isTelling)),
        millis,
        error,
      ),
    );
  };

  for (const { pod: description, containers } of pods) {
    const pod = await runtime.runPod(examplePod(description));
    for (const name of containers) {
      const container = exampleContainer(pod, { name });
      await show(`create ${pod.namespace}/${pod.name}/${name}`, () => runtime.createContainer(pod, container));
      await runtime.startContainer(container);
    }
  }
  const [web] = runtime.containers();
  await show('update default/web/app: the kubelet wants a CPU quota of 20000', () =>
    runtime.updateContainer(web!, { cpu: { quota: 20_000, period: 100_000 } }),
  );
  for (const pod of runtime.pods()) await runtime.removePod(pod);
  await host.settled();

  const late = reports.filter(report => report.late).length + runtime.departures.length;
  const slowest = Math.max(...runtime.calls.map(call => call.millis));
  const { starts } = host.sandbox();
  say(
    `${runtime.calls.length} calls answered, ${late} late, ${failed} failed; the slowest took ${slowest.toFixed(0)} ms of 2000; ` +
      `${reports.length} events; sandbox processes: ${starts}`,
  );
  await connection.close();
  await host.close();
  await runtime.stop();
  return late === 0 && failed === 0 ? 0 : 1;
}

/** The logger alone takes part in most events: those are not shown. */
function isTelling({ script }: ScriptReport): boolean {
  return script !== '00-logger.ts';
}

function prepareScripts(folder: string): string {
  mkdirSync(folder, { mode: 0o755 });
  for (const name of readdirSync(examples)) writeFileSync(join(folder, name), readFileSync(join(examples, name)), { mode: 0o644 });
  for (const [name, text] of Object.entries(misbehaving)) writeFileSync(join(folder, name), text, { mode: 0o644 });
  return folder;
}
