// attack: it returns functions
// expect: refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { env: { A: () => 'x' }, args: [() => {}] } };
  },
};
