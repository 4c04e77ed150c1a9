// attack: it throws an error whose stack is made by a loop
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Error.prepareStackTrace = () => {
      for (;;);
    };
    throw new Error('x');
  },
};
