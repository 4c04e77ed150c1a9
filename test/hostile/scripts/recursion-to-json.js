// attack: a result that grows as it is written
// expect: error|timeout|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const next = () => ({ toJSON: () => ({ next: next() }) });
    return next();
  },
};
