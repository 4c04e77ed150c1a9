/** proto/nri.proto against upstream's own description, as Debian packages it beside the Go code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { preparePackages } from './support/packages.ts';
import { checkRequirements } from './support/requirements.ts';

const nriPackage = 'nri.pkg.api.v1alpha1';

function describe(file: string): { fields: Map<string, string>; values: Map<string, number>; methods: Map<string, string> } {
  const { root } = protobuf.parse(readFileSync(file, 'utf8'), { keepCase: true });
  root.resolveAll();
  const fields = new Map<string, string>();
  const values = new Map<string, number>();
  const methods = new Map<string, string>();
  const walk = (space: protobuf.NamespaceBase, path: string) => {
    for (const each of space.nestedArray) {
      const name = path + each.name;
      if (each instanceof protobuf.Enum) for (const [key, value] of Object.entries(each.values)) values.set(`${name}.${key}`, value);
      if (each instanceof protobuf.Service) {
        for (const method of each.methodsArray) methods.set(`${name}.${method.name}`, `${method.requestType} -> ${method.responseType}`);
      }
      if (each instanceof protobuf.Type) {
        for (const field of each.fieldsArray) fields.set(`${name}.${field.name}`, signature(field));
      }
      if (each instanceof protobuf.Namespace) walk(each, `${name}.`);
    }
  };
  walk(root.lookup(nriPackage) as protobuf.NamespaceBase, '');
  return { fields, values, methods };
}

function signature(field: protobuf.Field): string {
  const key = field instanceof protobuf.MapField ? `map<${field.keyType}> ` : '';
  return `${field.id} ${field.repeated ? 'repeated ' : ''}${key}${field.resolvedType?.name ?? field.type}`;
}

test('every message, field, enumeration value and call of upstream stands in proto/nri.proto with the same number and type', async t => {
  checkRequirements();
  const { nriApi } = await preparePackages();
  const upstream = describe(nriApi.path('usr/share/gocode/src/github.com/containerd/nri/pkg/api/api.proto'));
  const ours = describe(resolve(import.meta.dirname, '../../proto/nri.proto'));
  t.diagnostic(`${nriApi.version}: ${upstream.fields.size} fields, ${upstream.values.size} values, ${upstream.methods.size} calls`);
  assert.ok(upstream.fields.size > 100);
  for (const kind of ['fields', 'values', 'methods'] as const) {
    for (const [name, expected] of upstream[kind]) {
      // The enumeration's end moves with every version.
      if (name !== 'Event.LAST') assert.equal(ours[kind].get(name), expected, name);
    }
  }
});
