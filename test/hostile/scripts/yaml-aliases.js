// attack: a YAML document of a few lines that stands for billions of entries
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

import { parse } from 'yaml';

export default {
  createContainer() {
    let text = 'a: &a [x, x, x, x, x, x, x, x, x]\n';
    for (let n = 0; n < 20; n++)
      text += `${String.fromCharCode(98 + n)}: &${String.fromCharCode(98 + n)} [${Array(9).fill(`*${String.fromCharCode(97 + n)}`)}]\n`;
    return { adjust: { env: { ATTACK: String(parse(text)) } } };
  },
};
