/** The embedded runtime: NRI's other side in this process, for demonstrations, benchmarks and tests. */
export { applyAdjustment, type Resolvers } from './apply-adjustment.ts';
export {
  type ContainerDescription,
  exampleContainer,
  examplePod,
  type PodDescription,
  realisticContainer,
  realisticPod,
} from './examples.ts';
export { mergeCreateContainer, mergeStopContainer, mergeUpdateContainer } from './merge.ts';
export { type MergeRules, mergeRules } from './merge-rules.ts';
export type { Ref } from './node-state.ts';
export { containerOf, type OciSpec, specOf } from './oci-spec.ts';
export { OperationError, type OperationErrorCode } from './operation-error.ts';
export type { CreatedContainer } from './operations.ts';
export type { NamedOwners } from './owners.ts';
export type { CallRecord } from './plugin.ts';
export type { Departure } from './plugin-set.ts';
export { type EmbeddedRuntime, type PluginInfo, startRuntime } from './runtime.ts';
export type { RuntimeOptions } from './runtime-options.ts';
