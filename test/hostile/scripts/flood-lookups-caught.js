// attack: look-ups without end, refusals ignored
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (;;) {
      try {
        nri.containers();
      } catch {}
    }
  },
};
