import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enumNameOf, eventOfMethod, eventOfStateChange, isStateChange, methodOf } from '../../src/nri/events.ts';
import { eventBit, eventMask, eventMaskBase, eventMaskFull, eventNames, runtimeAbilities, subscription } from '../../src/nri/index.ts';

const abilities = (runtimeName: string, runtimeVersion: string, nriVersion = '') =>
  runtimeAbilities({ runtimeName, runtimeVersion, nriVersion });

const inferred: Array<[name: string, version: string, nri: string]> = [
  ['containerd', 'v1.7.0', '0.3.0'],
  ['containerd', '1.7.6', '0.3.0'],
  ['containerd', 'v1.7.7', '0.4.0'],
  ['containerd', 'v1.7.15', '0.6.0'],
  ['containerd', '1.7.24~ds1', '0.6.1'],
  ['containerd', 'v1.7.26', '0.8.0'],
  ['v2', 'v2.0.2', '0.8.0'],
  ['containerd', 'v2.1.4', '0.8.0'],
  ['containerd', 'v2.2.0', '0.10.0'],
  ['containerd', 'v2.2.0-225-gabc1234.m', '0.10.0'],
  ['containerd', 'v2.2.0-rc.1', '0.8.0'],
  ['containerd', '2.2.1', '0.11.0'],
  ['containerd', 'v2.2.1-k3s1', '0.11.0'],
  ['containerd', 'v2.3.0', '0.12.0'],
  ['containerd', 'v3.0.0', '0.12.0'],
  ['cri-o', '1.26.4', '0.2.0'],
  ['cri-o', '1.30.0', '0.5.0'],
  ['cri-o', '1.33.1', '0.9.0'],
  ['cri-o', '1.34.0', '0.10.0'],
  ['cri-o', '1.34.0-dev', '0.9.0'],
  ['cri-o', '1.35', '0.11.0'],
];

for (const [name, version, nri] of inferred) {
  test(`${name} ${version} speaks NRI ${nri}`, () => {
    const full = Number(nri.split('.')[1]) >= 10;
    assert.deepEqual(abilities(name, version), { nriVersion: nri, eventMask: full ? eventMaskFull : eventMaskBase });
  });
}

test('what is not known gets the events that every runtime has', () => {
  const unknown: Array<[string, string, string?]> = [
    ['docker', '29.1.0'],
    ['containerd', '1c4457e00facac03ce1d75f7b6777a7a851e5c41'],
    ['containerd', ''],
    ['containerd', 'v1.6.30'],
    ['containerd', '2.2.1.7'],
    ['', ''],
    ['__proto__', 'v2.2.1'],
    ['toString', 'v2.2.1'],
    ['docker', '29.1.0', '(devel)'],
    ['docker', '29.1.0', '0.0.0-unknown'],
    ['containerd', 'v999999999999.0.0'],
  ];
  for (const runtime of unknown) assert.deepEqual(abilities(...runtime), { nriVersion: '', eventMask: 0x7ff }, runtime.join(' '));
});

test('the NRI version that the runtime tells comes before what its name suggests', () => {
  assert.deepEqual(abilities('docker', '29.1.0', 'v0.12.2'), { nriVersion: '0.12.2', eventMask: 0x3fff });
  assert.deepEqual(abilities('containerd', 'v2.3.0', 'v0.9.0'), { nriVersion: '0.9.0', eventMask: 0x7ff });
  assert.equal(abilities('containerd', 'v2.3.0', '(devel)').nriVersion, '0.12.0');
  assert.equal(abilities('x', '', 'v0.11.1-0.20250804103005-0123456789ab').nriVersion, '0.11.0');
  assert.equal(abilities('x', '', 'v0.10.0-0.20250804103005-0123456789ab').eventMask, 0x7ff);
});

test("the events' bits are NRI's", () => {
  assert.equal(eventBit('runPodSandbox'), 1);
  assert.equal(eventBit('createContainer'), 1 << 3);
  assert.equal(eventBit('removeContainer'), 1 << 10);
  assert.equal(eventBit('validateContainerAdjustment'), 1 << 13);
  assert.equal(eventMask(eventNames), eventMaskFull);
  assert.equal(eventMask([]), 0);
});

test('events that the runtime does not know are not subscribed, and nothing is not everything', () => {
  const all = eventMask(eventNames);
  assert.equal(subscription(all, { eventMask: eventMaskBase }), eventMaskBase);
  assert.equal(subscription(all, { eventMask: eventMaskFull }), eventMaskFull);
  assert.equal(subscription(0, { eventMask: eventMaskFull }), eventBit('removePodSandbox'));
  assert.equal(subscription(eventBit('validateContainerAdjustment'), { eventMask: eventMaskBase }), eventBit('removePodSandbox'));
});

test('an event has a method and a name in the enumeration', () => {
  for (const name of eventNames) assert.equal(eventOfMethod(methodOf(name)), name);
  assert.equal(methodOf('postUpdatePodSandbox'), 'PostUpdatePodSandbox');
  assert.equal(enumNameOf('postUpdatePodSandbox'), 'POST_UPDATE_POD_SANDBOX');
  assert.equal(eventOfMethod('Configure'), undefined);
});

test('nine events may come by StateChange', () => {
  assert.equal(eventNames.filter(isStateChange).length, 9);
  assert.equal(eventOfStateChange('POST_START_CONTAINER'), 'postStartContainer');
  for (const name of ['CREATE_CONTAINER', 'UNKNOWN', '99', 'LAST']) assert.equal(eventOfStateChange(name), undefined);
});
