// attack: it returns what the prelude itself writes for values that JSON has not
// expect: refused|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return {
      adjust: {
        env: { A: { '\0': '5n' }, B: { '\0': {} }, C: { '\0': 'x'.repeat(1000) } },
        linux: { resources: { cpu: { quota: { '\0': '99999999999999999999999999999999999999999n' } } } },
      },
    };
  },
};
