export { monotonicNow } from './clock.ts';
export { type HandlerName, handlerNames } from './handler-names.ts';
export { type Facts, maxStateLength, type SandboxScript, type ScriptError } from './protocol.ts';
export {
  type LoadResult,
  type MemoryCeiling,
  openSandbox,
  type Sandbox,
  type SandboxEvent,
  type SandboxObserver,
  type SandboxState,
  type ScriptRun,
} from './sandbox.ts';
export { encodeSegment } from './values.ts';
