export { monotonicNow } from './clock.ts';
export type { LoadResult, RunTimes, Sandbox, SandboxEvent, SandboxObserver, SandboxState } from './contract.ts';
export { type HandlerName, handlerNames } from './handler-names.ts';
export { type Facts, maxStateLength, type SandboxScript, type ScriptError } from './protocol.ts';
export { openSandbox, type SandboxOptions } from './sandbox.ts';
export type { ScriptRun } from './script-run.ts';
export { encodeSegment } from './values.ts';
