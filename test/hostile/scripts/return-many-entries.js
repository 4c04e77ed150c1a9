// attack: it returns forty thousand resource limits of the same type
// expect: ok|error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { rlimits: new Array(20_000).fill({ type: 'RLIMIT_NOFILE', hard: 1, soft: 1 }) } };
  },
};
