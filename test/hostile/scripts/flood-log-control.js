// attack: log lines with terminal control characters and line ends
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; i < 100; i++) nri.log.info('\u001b[2J\u001b]0;owned\u0007\n{"level":"error","msg":"forged"}\n\ud800');
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
