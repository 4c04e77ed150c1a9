// attack: builtins exchanged before the first event
// expect: ok|error|load
// biome-ignore-all lint: it is an attack
// @ts-nocheck

Object.prototype.polluted = true;
Reflect.apply = Function.prototype.call = Function.prototype.apply = () => ({ adjust: { env: { ESCAPED: 'x' } } });
JSON.stringify = () => '{"result":{"adjust":{"env":{"ESCAPED":"x"}}}}';
export default {
  createContainer() {
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
