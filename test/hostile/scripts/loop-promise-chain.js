// attack: promises that make the next one, without end
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const again = () => Promise.resolve().then(again);
    return again();
  },
};
