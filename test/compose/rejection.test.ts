import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateRejection } from '../../src/compose/index.ts';

test('a reason rejects', () => {
  assert.deepEqual(validateRejection({ reject: 'no privileged hooks' }), { reject: 'no privileged hooks', problems: [] });
});

test('nothing, null and an object without a reason do not reject', () => {
  for (const result of [undefined, null, {}, { reject: undefined }]) assert.deepEqual(validateRejection(result), { problems: [] });
});

test('a rejection that is not a reason is a problem', () => {
  for (const result of [true, 'no', [], { reject: true }, { reject: '' }, { reject: 'x'.repeat(5000) }, { rejected: 'no' }]) {
    const { reject, problems } = validateRejection(result);
    assert.equal(reject, undefined);
    assert.equal(problems.length, 1);
  }
  assert.match(validateRejection({ rejected: 'no' }).problems[0]!.message, /did you mean reject\?/);
});
