// attack: it returns a Map and a Date
// expect: refused|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { env: new Map([['A', 'x']]), annotations: new Date() } };
  },
};
