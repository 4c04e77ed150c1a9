// attack: log lines without end
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (;;) nri.log.error('x');
  },
};
