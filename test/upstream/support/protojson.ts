/** A decoded message in protojson, as Go prints it: made of the proto's description and not by our codec's writing side. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { MessageName, Messages } from '../../../src/nri/index.ts';
import type { ProtoJson } from './judge.ts';

const root = protobuf
  .parse(readFileSync(new URL('../../../proto/nri.proto', import.meta.url), 'utf8'), { keepCase: true })
  .root.resolveAll();

const plainNames: Record<string, string> = { CDI_devices: 'cdiDevices', NRI_version: 'nriVersion' };
const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

export function protojsonOf<Name extends MessageName>(name: Name, message: Messages[Name]): ProtoJson {
  return messageOf(root.lookupType(`nri.pkg.api.v1alpha1.${name}`), message as Record<string, unknown>);
}

function messageOf(type: protobuf.Type, plain: Record<string, unknown>): ProtoJson {
  const json: ProtoJson = {};
  for (const field of type.fieldsArray) {
    const given = plain[plainNames[field.name] ?? camelCase(field.name)];
    const value = given === undefined ? undefined : fieldOf(field, given);
    if (value !== undefined) json[camelCase(field.name)] = value;
  }
  return json;
}

/** Undefined for what protojson leaves out. */
function fieldOf(field: protobuf.Field, given: unknown): unknown {
  if (field.repeated) return (given as unknown[]).length > 0 ? (given as unknown[]).map(each => jsonOf(field, each)) : undefined;
  if (field.map) {
    const entries = Object.entries(given as object);
    return entries.length > 0 ? Object.fromEntries(entries.map(([key, each]) => [key, jsonOf(field, each)])) : undefined;
  }
  const value = jsonOf(field, given);
  return field.resolvedType instanceof protobuf.Type || !isDefault(field, value) ? value : undefined;
}

function jsonOf(field: protobuf.Field, given: unknown): unknown {
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Type) {
    if (!resolvedType.name.startsWith('Optional')) return messageOf(resolvedType, given as Record<string, unknown>);
    const value = fieldOf(resolvedType.fields['value']!, given);
    return value === undefined ? {} : { value };
  }
  return /^u?int64$/.test(type) ? String(given) : given;
}

function isDefault({ resolvedType, type }: protobuf.Field, value: unknown): boolean {
  if (resolvedType instanceof protobuf.Enum) return resolvedType.values[value as string] === 0;
  if (type === 'string') return value === '';
  return value === 0 || value === '0' || value === false;
}
