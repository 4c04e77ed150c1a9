// attack: what stays in the isolate from event to event
// expect: ok|error|timeout|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; i < 20_000; i++) Symbol.for(`${Math.random()} ${i}`);
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
