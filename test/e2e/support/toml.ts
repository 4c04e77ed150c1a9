/** Writes TOML, as much of it as containerd's configuration needs. */

export type TomlValue = string | number | boolean | string[] | Toml;
export type Toml = { [key: string]: TomlValue };

/** Values first, then one table per nested object. */
export function toml(tables: Toml, path: string[] = []): string {
  const entries = Object.entries(tables);
  const values = entries
    .filter(([, value]) => !isTable(value))
    .map(([key, value]) => `${JSON.stringify(key)} = ${JSON.stringify(value)}\n`);
  const header = path.length > 0 && values.length > 0 ? `[${path.map(part => JSON.stringify(part)).join('.')}]\n` : '';
  const nested = entries.map(([key, value]) => (isTable(value) ? toml(value, [...path, key]) : ''));
  return header + values.join('') + nested.join('');
}

function isTable(value: TomlValue): value is Toml {
  return typeof value === 'object' && !Array.isArray(value);
}
