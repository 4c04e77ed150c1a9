// attack: YAML nested as deep as it is long
// expect: error|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

import { parse } from 'yaml';

export default {
  createContainer() {
    const caught = [];
    for (const text of ['['.repeat(4000), '{a: '.repeat(1000), '- '.repeat(2000), '? '.repeat(2000)]) {
      try {
        parse(text);
      } catch (error) {
        caught.push(error.name);
      }
    }
    throw new Error(caught.join());
  },
};
