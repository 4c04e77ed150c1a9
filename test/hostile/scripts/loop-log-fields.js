// attack: fields of a log line that loop when they are read
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    nri.log.info('x', {
      get x() {
        for (;;);
      },
    });
  },
};
