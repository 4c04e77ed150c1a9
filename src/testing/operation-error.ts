/**
 * Why an operation of the embedded runtime failed. The messages are upstream's (containerd/nri, pkg/adaptation, in the version that
 * is spoken), so that a test can expect the text that an operator would see.
 */
export type OperationErrorCode =
  /** Two plugins, or one plugin twice, set the same field (fact E3). */
  | 'CONFLICT'
  /** A plugin updated the container that is being created (fact E1). */
  | 'UPDATE_DURING_CREATION'
  /** A plugin answered with an error status (fact D4). */
  | 'PLUGIN_ERROR'
  /** A plugin refused the combined adjustment (fact G1). */
  | 'REJECTED'
  /** A validator failed or did not answer, which refuses the adjustment too (fact G2). */
  | 'VALIDATOR_FAILED'
  /** The combined adjustment does not fit the OCI spec (fact E8). */
  | 'ADJUSTMENT_UNUSABLE'
  /** The call makes no sense in the state that the pod or container is in. */
  | 'INVALID_STATE';

export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: OperationErrorCode;
  /** The plugins, `NN-name`, that caused it. */
  readonly plugins: readonly string[];

  constructor(code: OperationErrorCode, message: string, plugins: readonly string[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.plugins = plugins;
  }
}
