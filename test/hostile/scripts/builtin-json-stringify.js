// attack: JSON of an object that is the same a thousand million times over
// expect: killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let o = { a: 1 };
    for (let i = 0; i < 30; i++) o = { a: o, b: o };
    JSON.stringify(o);
  },
};
