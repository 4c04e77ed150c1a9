// attack: it returns zero bytes, line ends and equals signs in names
// expect: refused|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { env: { 'A\0B': 'x\0y', 'A=B': 'x', 'A\nB': 'x', '': 'x' }, annotations: { '\0': '\0' } } };
  },
};
