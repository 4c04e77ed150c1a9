// attack: it returns fifty thousand fields that do not exist
// expect: ok|error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const adjust = {};
    for (let i = 0; i < 50_000; i++) adjust[`field${i}`] = i;
    return { adjust };
  },
};
