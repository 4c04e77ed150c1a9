// attack: it returns halves of characters, in keys and values
// expect: refused|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { env: { '\ud800': '\udfff' }, annotations: { '\udc00x': 'x\ud800' } } };
  },
};
