/** The handlers that a script may define, by NRI's names (types/index.d.ts). */
export const handlerNames = [
  'configure',
  'synchronize',
  'runPodSandbox',
  'updatePodSandbox',
  'postUpdatePodSandbox',
  'stopPodSandbox',
  'removePodSandbox',
  'createContainer',
  'postCreateContainer',
  'startContainer',
  'postStartContainer',
  'updateContainer',
  'postUpdateContainer',
  'stopContainer',
  'removeContainer',
  'validateContainerAdjustment',
] as const;

export type HandlerName = (typeof handlerNames)[number];
