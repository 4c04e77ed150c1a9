// attack: a promise that is to settle to itself
// expect: error|pending
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let settle;
    const promise = new Promise(resolve => {
      settle = resolve;
    });
    settle(promise);
    return promise;
  },
};
