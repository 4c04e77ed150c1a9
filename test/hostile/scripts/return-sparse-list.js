// attack: it returns a list with holes
// expect: refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { rlimits: [, , { type: 'RLIMIT_NOFILE', hard: 1, soft: 1 }] } };
  },
};
