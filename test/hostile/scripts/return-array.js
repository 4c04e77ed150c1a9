// attack: it returns an array
// expect: refused|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return [{ adjust: { env: { A: 'x' } } }];
  },
};
