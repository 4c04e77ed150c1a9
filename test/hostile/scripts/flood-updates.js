// attack: unsolicited updates without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (;;) nri.update({ containerId: 'c', linux: { resources: { cpu: { shares: 2 } } } });
  },
};
