// attack: a result of arrays nested as deep as they can be written
// expect: error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let depth = 8_000; depth > 10; depth = Math.floor(depth * 0.9)) {
      let deep = [NaN];
      for (let i = 0; i < depth; i++) deep = [deep];
      try {
        JSON.stringify(deep, (key, value) => value);
        return { adjust: { args: deep } };
      } catch {}
    }
  },
};
