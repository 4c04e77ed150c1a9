/** What a runtime really says to a plugin, captured from sessions of our own: what the wire's mutations start from. */
import { type Duplex, duplexPair } from 'node:stream';
import {
  createCodec,
  type EventName,
  type EventRequest,
  eventMaskFull,
  eventNames,
  openPluginSession,
  openRuntimeSession,
} from '../../src/nri/index.ts';
import { realisticContainer, realisticPod } from '../../src/testing/index.ts';
import { createFrameReader } from '../../src/ttrpc/frame.ts';

/** One ttrpc message on one of the multiplexer's connections. */
export type Message = { connId: number; streamId: number; type: number; flags: number; payload: Buffer };

const codec = createCodec();

/** One session of each way to deliver events: handshake, state in chunks, every event, an unsolicited update. */
export async function captureTraffic(): Promise<Message[]> {
  const messages: Message[] = [];
  for (const delivery of ['dedicated', 'state-change'] as const) messages.push(...(await captureSession(delivery)));
  return messages;
}

async function captureSession(delivery: 'dedicated' | 'state-change'): Promise<Message[]> {
  const [runtimeEnd, between] = duplexPair();
  const [beyond, pluginEnd] = duplexPair();
  const toPlugin: Buffer[] = [];
  between.on('data', (chunk: Buffer) => {
    toPlugin.push(Buffer.from(chunk));
    beyond.write(chunk);
  });
  beyond.on('data', (chunk: Buffer) => between.write(chunk));
  const runtime = openRuntimeSession({ stream: runtimeEnd, codec, delivery, synchronizeBytesMax: 50_000 });
  const plugin = openPluginSession({
    stream: pluginEnd,
    name: 'fuzz',
    index: '10',
    codec,
    handlers: { configure: () => ({ events: eventMaskFull }), synchronize: () => undefined, event: () => undefined },
  });
  await runtime.registered;
  await runtime.configure({ runtimeName: 'containerd', runtimeVersion: 'v2.3.0', nriVersion: 'v0.12.0' });
  const pods = Array.from({ length: 4 }, (_, n) => realisticPod({ name: `pod-${n}` }));
  const containers = pods.flatMap(pod => ['a', 'b', 'c'].map(name => realisticContainer(pod, { name })));
  await runtime.synchronize(pods, containers);
  for (const name of eventNames) await runtime.send(name, requestOf(name));
  await plugin.updateContainers([{ containerId: containers[0]!.id, linux: { resources: { cpu: { shares: 5 } } } }]);
  plugin.close();
  runtime.close();
  await Promise.all([plugin.closed, runtime.closed]);
  for (const stream of [runtimeEnd, between, beyond, pluginEnd] as Duplex[]) stream.destroy();
  return messagesOf(Buffer.concat(toPlugin));
}

function requestOf(name: EventName): EventRequest {
  const pod = realisticPod({ name: 'web' });
  const container = realisticContainer(pod, { name: 'app' });
  const resources = { cpu: { shares: 512, quota: 20_000 }, memory: { limit: 2n ** 63n - 1n } };
  const more = {
    updatePodSandbox: { overheadLinuxResources: resources, linuxResources: resources },
    updateContainer: { linuxResources: resources },
    validateContainerAdjustment: {
      adjust: { env: [{ key: 'A', value: '1' }], annotations: { a: 'b' }, linux: { resources } },
      update: [{ containerId: container.id, linux: { resources } }],
      owners: { owners: { [container.id]: { simple: { 17: '10-a' }, compound: { 6: { owners: { A: '10-a' } } } } } },
      plugins: [{ name: 'a', index: '10' }],
    },
  }[name as string];
  return { pod, container, ...more } as EventRequest;
}

function messagesOf(bytes: Buffer): Message[] {
  const readers = new Map<number, ReturnType<typeof createFrameReader>>();
  const messages: Message[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const connId = bytes.readUInt32BE(at);
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    const reader = readers.get(connId) ?? createFrameReader();
    readers.set(connId, reader);
    reader.push(bytes.subarray(at + 8, end));
    for (let frame = reader.next(); frame; frame = reader.next()) {
      const { streamId, type, flags, payload } = frame;
      messages.push({ connId, streamId, type, flags, payload: Buffer.from(payload!) });
    }
    at = end;
  }
  return messages;
}
