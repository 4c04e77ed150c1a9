/** NRI, both ends of it: what a plugin and a runtime say to each other, and the connection that they say it on. */

export { type Backoff, createBackoff } from './backoff.ts';
export { type Codec, CodecError, createCodec } from './codec.ts';
export { type ConnectionOptions, type ConnectionState, connectPlugin, type PluginConnection, type StateDetail } from './connection.ts';
export { defaultSocketPath, type Endpoint, type LaunchedPlugin, launchedPlugin } from './endpoint.ts';
export { NriError, type NriErrorCode, RefusalError } from './errors.ts';
export { type EventName, type EventRequest, type EventResponse, eventBit, eventMask, eventNames } from './events.ts';
export { type Field, fieldNames } from './fields.ts';
export type * from './messages.ts';
export {
  type CallContext,
  openPluginSession,
  type PluginHandlers,
  type PluginSession,
  type PluginSessionOptions,
  type SessionState,
} from './plugin-session.ts';
export { openRuntimeSession, type RuntimeSession, type RuntimeSessionOptions } from './runtime-session.ts';
export { eventMaskBase, eventMaskFull, type RuntimeAbilities, runtimeAbilities, subscription } from './versions.ts';
