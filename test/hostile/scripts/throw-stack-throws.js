// attack: it throws an error whose stack throws
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Error.prepareStackTrace = () => {
      throw new Error('inner');
    };
    throw new Error('x');
  },
};
