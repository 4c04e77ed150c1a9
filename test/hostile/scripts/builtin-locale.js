// attack: collation and number formats without end
// expect: killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (;;) new Intl.NumberFormat(['de', 'hi', 'ar'][Math.floor(Math.random() * 3)], { style: 'currency', currency: 'EUR' }).format(1e21);
  },
};
