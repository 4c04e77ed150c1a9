// attack: it returns a hundred thousand entries that are wrong
// expect: ok|error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const adjust = { env: {} };
    for (let i = 0; i < 50_000; i++) adjust.env[`A${i}`] = i;
    return { adjust };
  },
};
