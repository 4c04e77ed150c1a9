// attack: a thenable that calls back a million times
// expect: ok|timeout|refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return {
      then(resolve) {
        for (let i = 0; i < 1e6; i++) resolve({ adjust: { env: { ATTACK: `${i}` } } });
      },
    };
  },
};
