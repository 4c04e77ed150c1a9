// attack: it returns keys that are called __proto__ and constructor
// expect: ok|refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"adjust":{"__proto__":{"polluted":1},"env":{"__proto__":"x","constructor":"x","toString":"x"},"annotations":{"__proto__":"x"}}}',
    );
  },
};
