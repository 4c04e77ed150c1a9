// attack: log lines of fifty megabytes
// expect: timeout|memory|error|ok|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const text = 'x'.repeat(50 << 20);
    for (let i = 0; i < 200; i++) nri.log.info(text, { text });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
