// attack: it returns twenty thousand page sizes and unified keys
// expect: ok|error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const unified = {};
    for (let i = 0; i < 20_000; i++) unified[`memory.k${i}`] = 'x';
    return {
      adjust: {
        linux: { resources: { unified, hugepageLimits: Array.from({ length: 10_000 }, (_, i) => ({ pageSize: `${i}MB`, limit: i })) } },
      },
    };
  },
};
