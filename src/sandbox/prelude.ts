/**
 * What runs inside an isolate's context before the script does: it offers `nri`, calls the handler and turns what comes back into text.
 *
 * {@link prelude} is never called here: its source text is compiled in the isolate. So it stands alone: no imports, nothing from
 * outside its own braces. The script shares its realm, so nothing that it does is a protection against the script: it only has to be
 * correct for honest ones. Everything it hands out is checked again outside.
 */

type Callbacks = {
  /** Level, and JSON of `{ message, fields }`. */
  log(level: string, text: string): void;
  /** JSON text of what is known, `null` for unknown, or a refusal that begins with `#`. */
  lookup(kind: string, argument: string): string;
};

export type Prelude = {
  /** Names of the handlers that the script defines. Throws when it defines none. */
  handlers(): string;
  /** Calls a handler. Returns its text, or '' when it returned a promise: then {@link Prelude.collect} has the text. */
  start(handler: string, names: string, ...segments: string[]): string;
  /** The text of the async handler that was started; '' when its promise did not settle. */
  collect(): string;
};

/** The script's source expression: `(…)(log, lookup, handlerNames, facts, config, maxResult, maxState)` gives a {@link Prelude}. */
export function preludeSource(): string {
  return `(${prelude.toString()})`;
}

function prelude(
  log: Callbacks['log'],
  lookup: Callbacks['lookup'],
  handlerNames: string,
  factsText: string,
  configText: string,
  maxResult: number,
  maxState: number,
): Prelude {
  const { parse, stringify } = JSON;
  const { defineProperty } = Object;
  const scope = globalThis as unknown as Record<string, unknown>;
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef']) delete scope[name];

  type Module = { exports: { default?: Record<string, unknown> } };
  const module: Module = { exports: {} };
  const define = (body: (module: Module, exports: object) => void) => body(module, module.exports);
  defineProperty(scope, '__define', { value: define, configurable: true });

  let settled = '';
  const updates: unknown[] = [];
  let state: Map<string, unknown> | undefined;
  let stateChanges: Record<string, unknown> | undefined;

  function lazy(target: object, name: string, compute: () => unknown): void {
    const settle = (value: unknown) => defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
    defineProperty(target, name, {
      enumerable: true,
      configurable: true,
      get() {
        const value = compute();
        settle(value);
        return value;
      },
      set: settle,
    });
  }

  function decode(text: string): unknown {
    if (text[0] !== '!') return parse(text);
    const colon = text.indexOf(':');
    const end = colon + 1 + Number(text.slice(1, colon));
    const value = parse(text.slice(end));
    for (const [path, digits] of parse(text.slice(colon + 1, end))) {
      let parent = value;
      for (let i = 0; i < path.length - 1; i++) parent = parent[path[i]];
      parent[path[path.length - 1]] = BigInt(digits);
    }
    return value;
  }

  function outsideJson(_key: string, value: unknown): unknown {
    switch (typeof value) {
      case 'bigint':
        return { '\u0000': `${value}n` };
      case 'number':
        return value - value === 0 ? value : { '\u0000': `${value}` };
      case 'function':
      case 'symbol':
        return { '\u0000': typeof value };
      default:
        return value;
    }
  }

  function describe(thrown: unknown): string {
    const text = { name: '', message: '', stack: '' };
    try {
      if (thrown !== null && typeof thrown === 'object') {
        const error = thrown as Record<string, unknown>;
        if (typeof error['name'] === 'string') text.name = error['name'].slice(0, 200);
        if (typeof error['message'] === 'string') text.message = error['message'].slice(0, 4000);
        if (typeof error['stack'] === 'string') text.stack = error['stack'].slice(0, 8000);
        if (!text.message && !text.stack) text.message = `threw ${stringify(thrown, outsideJson)}`.slice(0, 1000);
      } else {
        text.message = `threw ${String(thrown)}`.slice(0, 1000);
      }
    } catch {
      text.message = 'threw a value that cannot be read';
    }
    return stringify({ error: text });
  }

  function answer(result: unknown): string {
    const text = stringify({ result, updates, state: stateChanges }, outsideJson);
    if (text.length > maxResult) throw new RangeError(`the result is ${text.length} characters of JSON, at most ${maxResult} are taken`);
    return text;
  }

  async function settle(promise: unknown): Promise<void> {
    try {
      settled = answer(await promise);
    } catch (thrown) {
      settled = describe(thrown);
    }
  }

  function logger(level: string) {
    return (message: unknown, fields?: unknown): void => {
      let text: string;
      try {
        text = stringify(
          { message: typeof message === 'string' ? message : (stringify(message, outsideJson) ?? String(message)), fields },
          outsideJson,
        );
      } catch (thrown) {
        text = stringify({ message: String(message), fields: { unreadable: String(thrown) } });
      }
      log(level, text);
    };
  }

  function known(kind: string, argument: unknown): unknown {
    const text = lookup(kind, argument === undefined ? '' : String(argument));
    if (text[0] === '#') throw new RangeError(text.slice(1));
    return decode(text) ?? undefined;
  }

  function kept(): Map<string, unknown> {
    state ??= new Map(Object.entries(known('state', '') as object));
    return state;
  }

  function keep(key: unknown, value: unknown): void {
    const name = String(key);
    const record = kept();
    const before = record.get(name);
    if (value === null) record.delete(name);
    else record.set(name, value);
    if (stringify(Object.fromEntries(record)).length > maxState) {
      if (before === undefined) record.delete(name);
      else record.set(name, before);
      throw new RangeError(`nri.state holds at most ${maxState} characters of JSON`);
    }
    stateChanges ??= {};
    defineProperty(stateChanges, name, { value, enumerable: true, configurable: true, writable: true });
  }

  const nri = {
    state: {
      get: (key: unknown) => kept().get(String(key)),
      set(key: unknown, value: unknown): void {
        const text = stringify(value);
        if (text === undefined || text === 'null')
          throw new TypeError('nri.state keeps JSON values other than null; delete(key) removes one');
        keep(key, parse(text));
      },
      delete: (key: unknown) => keep(key, null),
      keys: () => [...kept().keys()],
    },
    log: { debug: logger('debug'), info: logger('info'), warn: logger('warn'), error: logger('error') },
    pod: (id: unknown) => known('pod', id),
    pods: () => known('pods', ''),
    container: (id: unknown) => known('container', id),
    containers: (podSandboxId: unknown) => known('containers', podSandboxId),
    update(update: unknown): void {
      if (Array.isArray(update)) updates.push(...update);
      else updates.push(update);
    },
  };
  lazy(nri, 'config', () => parse(configText) ?? undefined);
  lazy(nri, 'runtime', () => parse(factsText).runtime);
  lazy(nri, 'node', () => parse(factsText).node);

  const words = (level: string) => {
    const write = logger(level);
    return (...values: unknown[]) =>
      write(values.map(value => (typeof value === 'string' ? value : (stringify(value, outsideJson) ?? String(value)))).join(' '));
  };
  scope['console'] = { debug: words('debug'), log: words('info'), info: words('info'), warn: words('warn'), error: words('error') };

  function script(): Record<string, unknown> {
    const exported = module.exports.default;
    if (exported === null || typeof exported !== 'object') {
      throw new TypeError('no default export with handlers: write `export default { createContainer(event, nri) { … } }`');
    }
    return exported;
  }

  return {
    handlers() {
      delete scope['__define'];
      const exported = script();
      const handlers = handlerNames.split(',').filter(name => typeof exported[name] === 'function');
      for (const name of Object.keys(exported)) {
        if (handlers.includes(name)) continue;
        throw new TypeError(`${name} is not a handler: the handlers are ${handlerNames.split(',').join(', ')}`);
      }
      if (handlers.length === 0)
        throw new TypeError(`the default export has no handler: the handlers are ${handlerNames.split(',').join(', ')}`);
      return handlers.join(',');
    },
    start(handler, names, ...segments) {
      try {
        settled = '';
        const event = {};
        names.split(',').forEach((name, index) => {
          lazy(event, name, () => decode(segments[index]!));
        });
        const exported = script();
        const result = (exported[handler] as (event: object, nri: object) => unknown).call(exported, event, nri);
        if (result !== null && typeof result === 'object' && typeof (result as { then?: unknown }).then === 'function') {
          settle(result);
          return '';
        }
        return answer(result);
      } catch (thrown) {
        return describe(thrown);
      }
    },
    collect: () => settled,
  };
}
