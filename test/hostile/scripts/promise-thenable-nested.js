// attack: thenables inside thenables without end
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const nest = () => ({ then: resolve => resolve(nest()) });
    return nest();
  },
};
