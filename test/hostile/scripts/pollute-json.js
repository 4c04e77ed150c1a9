// attack: JSON exchanged
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    JSON.parse = () => ({ polluted: true });
    JSON.stringify = () => '{"result":{"adjust":{"env":{"ESCAPED":"x"}}}}';
    globalThis.JSON = null;
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
