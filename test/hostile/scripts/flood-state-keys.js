// attack: keys in the store without end
// expect: error|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; ; i++) nri.state.set(`k${i}`, i);
  },
};
