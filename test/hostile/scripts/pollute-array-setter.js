// attack: setters where lists are filled
// expect: ok|error|refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    Object.defineProperty(Array.prototype, '0', { configurable: true, set() {}, get: () => ({ containerId: 'x' }) });
    nri.update({ containerId: 'none', linux: { resources: { cpu: { shares: 2 } } } });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
