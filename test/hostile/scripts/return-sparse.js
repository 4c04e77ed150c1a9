// attack: it returns arrays with four thousand million holes
// expect: error|timeout|killed|refused|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const args = [];
    args.length = 2 ** 32 - 1;
    return { adjust: { args } };
  },
};
