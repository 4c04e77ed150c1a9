// attack: it returns symbols
// expect: refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { env: { A: Symbol('x') }, annotations: { [Symbol('k')]: 'v' } } };
  },
};
