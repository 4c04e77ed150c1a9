/** Leave that a script needs for what can break isolation (`allow: [mounts]` in its settings). */
export type Grant =
  | 'mounts'
  | 'devices'
  | 'cdiDevices'
  | 'netDevices'
  | 'hooks'
  | 'args'
  | 'namespaces'
  | 'seccompPolicy'
  | 'sysctl'
  | 'cgroupsPath'
  | 'deviceRules';

export const grants: readonly Grant[] = [
  'mounts',
  'devices',
  'cdiDevices',
  'netDevices',
  'hooks',
  'args',
  'namespaces',
  'seccompPolicy',
  'sysctl',
  'cgroupsPath',
  'deviceRules',
];
