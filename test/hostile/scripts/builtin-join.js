// attack: join of two hundred million holes
// expect: ok|killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    new Array(2e8).join('x');
  },
};
