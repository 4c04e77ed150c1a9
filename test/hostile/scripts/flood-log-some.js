// attack: a thousand long log lines, and then an answer
// expect: ok|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; i < 1000; i++) console.log('x'.repeat(10_000));
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
