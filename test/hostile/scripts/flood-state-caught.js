// attack: keys in the store without end, errors ignored
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; ; i++) {
      try {
        nri.state.set(`k${i}`, 'x'.repeat(60_000));
      } catch {}
    }
  },
};
