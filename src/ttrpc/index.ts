/**
 * ttrpc (github.com/containerd/ttrpc): gRPC's little sibling for local sockets. Unary calls over any byte stream, payloads opaque.
 *
 *     const client = createClient(net.connect('/run/example.sock'));
 *     const reply = await client.call({ service: 'example.v1.Greeter', method: 'Hello', payload, timeoutMs: 2000 });
 *
 *     serve(socket, async ({ service, method, payload }) => answer(service, method, payload));
 *
 * Streaming calls are refused with Unimplemented.
 */
export { type Call, type Client, createClient } from './client.ts';
export type { Metadata } from './envelope.ts';
export { payloadLengthMax } from './frame.ts';
export { type Handler, type Server, type ServerLimits, type ServerRequest, serve } from './server.ts';
export { type Status, type StatusName, statusCode, statusName, TtrpcError } from './status.ts';
