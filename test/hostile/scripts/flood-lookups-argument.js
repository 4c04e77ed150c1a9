// attack: look-ups of ids of fifty megabytes
// expect: ok|error|timeout|memory
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const id = 'x'.repeat(50 << 20);
    for (let i = 0; i < 50; i++) nri.container(id);
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
