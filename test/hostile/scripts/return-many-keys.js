// attack: it returns forty thousand environment variables
// expect: ok|error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const env = {};
    for (let i = 0; i < 40_000; i++) env[`VARIABLE_${i}`] = 'x';
    return { adjust: { env } };
  },
};
