// attack: short YAML texts, each new, without end
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

import { parse } from 'yaml';

export default {
  createContainer() {
    for (let round = 0; ; round++) parse(`a: ${round}`);
  },
};
