// attack: JSON text of a hundred megabytes
// expect: killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    JSON.parse(`[${'[1],'.repeat(25_000_000)}1]`);
  },
};
