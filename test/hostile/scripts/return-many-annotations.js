// attack: it returns forty thousand annotations
// expect: ok|error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const annotations = {};
    for (let i = 0; i < 40_000; i++) annotations[`example.com/annotation-${i}`] = 'x';
    return { adjust: { annotations } };
  },
};
