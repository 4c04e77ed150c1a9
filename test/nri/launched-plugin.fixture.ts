/** A plugin as a runtime launches it: its connection is a descriptor. Exits when that ends, with the reason's code on stdout. */
import { connectPlugin, createCodec, launchedPlugin } from '../../src/nri/index.ts';

const launched = launchedPlugin(process.env)!;
const connection = connectPlugin({
  ...launched,
  codec: createCodec(),
  handlers: {
    configure: () => ({ events: 8 }),
    synchronize: () => undefined,
    event: () => ({ adjust: { args: [launched.name, launched.index] } }),
  },
});
process.stdout.write((await connection.closed).code);
