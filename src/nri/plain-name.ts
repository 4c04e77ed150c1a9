/** The plain form's names of the wire's fields (messages.ts). */
const odd: Record<string, string> = { CDI_devices: 'cdiDevices', NRI_version: 'nriVersion' };

export function plainName(name: string): string {
  return odd[name] ?? name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
