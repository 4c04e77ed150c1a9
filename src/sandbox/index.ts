export { monotonicNow } from './clock.ts';
export { type HandlerName, handlerNames } from './handler-names.ts';
export { type Facts, maxStateLength, type SandboxScript, type ScriptError } from './protocol.ts';
export {
  type LoadResult,
  openSandbox,
  type Sandbox,
  type SandboxEvent,
  type SandboxObserver,
  type SandboxOptions,
  type SandboxState,
} from './sandbox.ts';
export type { ScriptRun } from './script-run.ts';
export { encodeSegment } from './values.ts';
