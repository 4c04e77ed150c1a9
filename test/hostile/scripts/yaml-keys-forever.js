// attack: YAML with as many keys as fit, a different one each time, without end
// expect: timeout|killed
// biome-ignore-all lint: it is an attack
// @ts-nocheck

import { parse } from 'yaml';

export default {
  createContainer() {
    for (let round = 0; ; round++) {
      let text = `round: ${round}\n`;
      for (let n = 0; text.length < 4000; n++) text += `k${n}: \n`;
      parse(text);
    }
  },
};
