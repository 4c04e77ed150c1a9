/**
 * What runs inside an isolate's context before the script does: it offers `nri`, calls the handler and turns what comes back into text.
 *
 * {@link prelude} is never called here: its source text is compiled in the isolate. So it stands alone: no imports, nothing from
 * outside its own braces. The script shares its realm and may change every builtin, so what is used after the script has begun is taken
 * before that, and objects that builtins look at have no prototype. That is for the sake of clear answers, not of protection: what comes out of
 * an isolate is checked again outside. Strict mode keeps functions out of what `Error.prepareStackTrace` sees.
 */

type Callbacks = {
  /** Level, and JSON of `{ message, fields }`. */
  log(level: string, text: string): void;
  /** JSON text of what is known, `null` for unknown, or a refusal that begins with `#`; of packages see libraries.ts. */
  lookup(kind: string, argument: string): string;
  /** A part of one of the event's properties (layout.ts), by their numbers. */
  part(property: number, part: number): string;
};

/**
 * What the prelude gives: one function, as every further reference into a context costs microseconds.
 * - `handlers`: JSON of `{ handlers }`, the names of the handlers that the script defines with commas between them, or of `{ error }`.
 * - `start`: calls a handler; `layouts` is JSON of `[name, parts, places]` of each property. Their texts follow, and those of parts that are at hand: their
 *   place is the text's number, that of others 0. Returns its text, or '' when it returned a promise: then `collect` has the text.
 * - `collect`: the text of the async handler that was started; '' when its promise did not settle.
 */
export type Prelude = (task: string, handler: string, layouts: string, ...texts: string[]) => string;

/** The script's source expression: `(…)(log, lookup, part, handlerNames, facts, config, maxResult, maxState, maxLog)` gives a {@link Prelude}. */
export function preludeSource(): string {
  return `'use strict';(${prelude.toString()})`;
}

function prelude(
  log: Callbacks['log'],
  lookup: Callbacks['lookup'],
  part: Callbacks['part'],
  handlerNames: string,
  factsText: string,
  configText: string,
  maxResult: number,
  maxState: number,
  maxLog: number,
): Prelude {
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { defineProperty, keys: keysOf } = Object;
  const { isArray } = Array;
  const [toText, toNumber, toBigInt] = [String, Number, BigInt];
  const [ErrorOfType, ErrorOfRange] = [TypeError, RangeError];
  const { indexOf, slice } = String.prototype;
  const cut = (text: string, from: number, to?: number): string => apply(slice, text, [from, to]);
  const known = handlerNames.split(',');
  const scope = globalThis as unknown as Record<string, unknown>;
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef']) delete scope[name];

  const evaluate = scope['eval'] as (text: string) => unknown;
  const wholes: Plain = { __proto__: null };
  /** What the facades of packages use (src/scripts/libraries.ts). */
  const libraries = {
    /** A package evaluated in this context. */
    whole(name: string): unknown {
      if (wholes[name] === undefined) {
        const whole = { exports: {} };
        const body = evaluate(`(function (module, exports) {${lookup('library', name)}\n})`) as (module: object, exports: object) => void;
        body(whole, whole.exports);
        put(wholes, name, whole.exports);
      }
      return wholes[name];
    },
    /** `[value]` of yaml's parse in the cases that are plain; undefined otherwise. */
    yaml(args: unknown[]): [unknown] | undefined {
      const [text, options] = [args[0], args[1]];
      if (typeof text !== 'string' || args.length > 2) return undefined;
      if (options !== undefined && (typeof options !== 'object' || isArray(options))) return undefined;
      let asked = '';
      if (options !== undefined && options !== null) {
        const names = keysOf(options);
        for (let at = 0; at < names.length; at++) {
          const kind = typeof (options as Plain)[names[at]!];
          if (kind !== 'string' && kind !== 'boolean') return undefined;
        }
        asked = stringify(options);
      }
      const found = lookup('yaml', `${asked}\n${text}`);
      return found === '' ? undefined : [parse(found)];
    },
  };

  type Module = { exports: { default?: Record<string, unknown> } };
  type Plain = Record<string, unknown>;
  const module: Module = { exports: {} };
  let failed: string | undefined;
  const define = (body: (module: Module, exports: object, libraries: object) => void) => {
    delete scope['__define'];
    try {
      body(module, module.exports, libraries);
    } catch (thrown) {
      failed = describe(thrown);
    }
  };
  defineProperty(scope, '__define', { value: define, configurable: true });

  let settled = '';
  let layouts: Array<[name: string, parts: string[], places: number[]]> = [];
  let texts: string[] = [];
  const updates: unknown[] = [];
  Object.setPrototypeOf(updates, null);
  let kept: Plain | undefined;
  let changes: Plain | undefined;

  function put(target: object, name: string | number, value: unknown): void {
    defineProperty(target, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
  }

  /** A property that is computed when it is read first. */
  function lazy(target: object, name: string, compute: (property: number, part: number) => unknown, property: number, part: number): void {
    let value: unknown;
    let isKnown = false;
    defineProperty(target, name, {
      __proto__: null,
      enumerable: true,
      configurable: true,
      get() {
        if (isKnown) return value;
        value = compute(property, part);
        isKnown = true;
        return value;
      },
      set(this: object, given: unknown) {
        put(this, name, given);
      },
    } as PropertyDescriptor);
  }

  function decode(text: string): unknown {
    if (text[0] !== '!') return parse(text);
    const colon = apply(indexOf, text, [':']);
    const end = colon + 1 + toNumber(cut(text, 1, colon));
    const value = parse(cut(text, end));
    const list = parse(cut(text, colon + 1, end));
    for (let at = 0; at < list.length; at++) {
      const path = list[at][0];
      let parent = value;
      for (let i = 0; i < path.length - 1; i++) parent = parent[path[i]];
      put(parent, path[path.length - 1], toBigInt(list[at][1]));
    }
    return value;
  }

  function open(property: number): unknown {
    const value = decode(texts[property]!);
    const parts = layouts[property]![1];
    for (let at = 0; at < parts.length; at++) lazy(value as object, parts[at]!, partOf, property, at);
    return value;
  }

  function partOf(property: number, at: number): unknown {
    const place = layouts[property]![2][at]!;
    return decode(place > 0 ? texts[place]! : part(property, at));
  }

  function odd(tag: string): object {
    return { __proto__: null, '\u0000': tag };
  }

  function outsideJson(_key: string, value: unknown): unknown {
    switch (typeof value) {
      case 'bigint':
        return odd(`${value}n`);
      case 'number':
        return value - value === 0 ? value : odd(`${value}`);
      case 'function':
      case 'symbol':
        return odd(typeof value);
      default:
        return value;
    }
  }

  /** For people, and not for being read back. */
  function readable(_key: string, value: unknown): unknown {
    switch (typeof value) {
      case 'bigint':
        return `${value}`;
      case 'number':
        return value - value === 0 ? value : `${value}`;
      case 'function':
      case 'symbol':
        return `[${typeof value}]`;
      default:
        return value;
    }
  }

  function textOf(value: unknown): string {
    if (typeof value === 'string') return value;
    if (value === null || typeof value !== 'object') return toText(readable('', value));
    const { stack } = value as Plain;
    return typeof stack === 'string' ? stack : (stringify(value, readable) ?? toText(value));
  }

  function describe(thrown: unknown): string {
    const text = { __proto__: null, name: '', message: '', stack: '' };
    try {
      if (thrown !== null && typeof thrown === 'object') {
        const { name, message, stack } = thrown as Plain;
        if (typeof name === 'string') text.name = cut(name, 0, 200);
        if (typeof message === 'string') text.message = cut(message, 0, 4000);
        if (typeof stack === 'string') text.stack = cut(stack, 0, 8000);
        if (!text.message && !text.stack) text.message = cut(`threw ${textOf(thrown)}`, 0, 1000);
      } else {
        text.message = cut(`threw ${toText(thrown)}`, 0, 1000);
      }
    } catch {
      text.message = 'threw a value that cannot be read';
    }
    return stringify({ __proto__: null, error: text });
  }

  function answer(result: unknown): string {
    const text = stringify({ __proto__: null, result, updates, state: changes }, outsideJson);
    if (text.length > maxResult) throw new ErrorOfRange(`the result is ${text.length} characters of JSON, at most ${maxResult} are taken`);
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
      if (typeof message === 'string' && fields === undefined) {
        text = `{"message":${stringify(message)}}`;
        log(level, text.length > maxLog ? cut(text, 0, maxLog) : text);
        return;
      }
      try {
        text = stringify({ __proto__: null, message: textOf(message), fields }, readable);
      } catch (thrown) {
        text = stringify({
          __proto__: null,
          message: 'a line that cannot be read',
          fields: { __proto__: null, unreadable: toText(thrown) },
        });
      }
      log(level, cut(text, 0, maxLog));
    };
  }

  function find(kind: string, argument: unknown): unknown {
    const text = lookup(kind, argument === undefined ? '' : cut(toText(argument), 0, 200));
    if (text[0] === '#') throw new ErrorOfRange(cut(text, 1));
    return decode(text) ?? undefined;
  }

  function record(): Plain {
    if (kept) return kept;
    const all: Plain = { __proto__: null };
    const found = find('state', '') as Plain;
    const names = keysOf(found);
    for (let at = 0; at < names.length; at++) put(all, names[at]!, found[names[at]!]);
    kept = all;
    return all;
  }

  function keep(key: unknown, value: unknown): void {
    const name = toText(key);
    const all = record();
    const before = all[name];
    if (value === null) delete all[name];
    else put(all, name, value);
    if (stringify(all).length > maxState) {
      if (before === undefined) delete all[name];
      else put(all, name, before);
      throw new ErrorOfRange(`nri.state holds at most ${maxState} characters of JSON`);
    }
    changes ??= { __proto__: null };
    put(changes, name, value);
  }

  const nri = {
    state: {
      get: (key: unknown) => record()[toText(key)],
      set(key: unknown, value: unknown): void {
        const text = stringify(value);
        if (text === undefined || text === 'null')
          throw new ErrorOfType('nri.state keeps JSON values other than null; delete(key) removes one');
        keep(key, parse(text));
      },
      delete: (key: unknown) => keep(key, null),
      keys: () => keysOf(record()),
    },
    log: { debug: logger('debug'), info: logger('info'), warn: logger('warn'), error: logger('error') },
    pod: (id: unknown) => find('pod', id),
    pods: () => find('pods', ''),
    container: (id: unknown) => find('container', id),
    containers: (podSandboxId: unknown) => find('containers', podSandboxId),
    update(update: unknown): void {
      const list = isArray(update) ? update : [update];
      for (let at = 0; at < list.length; at++) put(updates, updates.length, list[at]);
    },
  };
  lazy(nri, 'config', () => parse(configText) ?? undefined, 0, 0);
  lazy(nri, 'runtime', () => parse(factsText).runtime, 0, 0);
  lazy(nri, 'node', () => parse(factsText).node, 0, 0);

  const words = (level: string) => {
    const write = logger(level);
    return (...values: unknown[]) => {
      let line = '';
      for (let at = 0; at < values.length; at++) line += `${at === 0 ? '' : ' '}${textOf(values[at])}`;
      write(line);
    };
  };
  scope['console'] = { debug: words('debug'), log: words('info'), info: words('info'), warn: words('warn'), error: words('error') };

  function script(): Plain {
    const exported = module.exports.default;
    if (exported === null || typeof exported !== 'object') {
      throw new ErrorOfType('no default export with handlers: write `export default { createContainer(event, nri) { … } }`');
    }
    return exported;
  }

  function isKnown(name: string): boolean {
    for (let at = 0; at < known.length; at++) if (known[at] === name) return true;
    return false;
  }

  function defined(exported: Plain): string {
    let handlers = '';
    const names = keysOf(exported);
    for (let at = 0; at < names.length; at++) {
      const name = names[at]!;
      if (!isKnown(name) || typeof exported[name] !== 'function')
        throw new ErrorOfType(isKnown(name) ? `${name} is not a function` : `${name} is not a handler: the handlers are ${handlerNames}`);
    }
    for (let at = 0; at < known.length; at++) {
      const name = known[at]!;
      if (typeof exported[name] === 'function') handlers += `${handlers && ','}${name}`;
    }
    return handlers;
  }

  function handlersOf(): string {
    if (failed !== undefined) return failed;
    try {
      const handlers = defined(script());
      if (handlers === '') throw new ErrorOfType(`the default export has no handler: the handlers are ${handlerNames}`);
      return stringify({ __proto__: null, handlers });
    } catch (thrown) {
      return describe(thrown);
    }
  }

  function start(handler: string, layoutsText: string, given: string[]): string {
    if (failed !== undefined) return failed;
    try {
      settled = '';
      texts = given;
      layouts = parse(layoutsText);
      const event = {};
      for (let index = 0; index < layouts.length; index++) lazy(event, layouts[index]![0], open, index, 0);
      const exported = script();
      const result = apply(exported[handler] as (event: object, nri: object) => unknown, exported, [event, nri]);
      if (result !== null && typeof result === 'object' && typeof (result as { then?: unknown }).then === 'function') {
        settle(result);
        return '';
      }
      return answer(result);
    } catch (thrown) {
      return describe(thrown);
    }
  }

  return (task, handler, layouts, ...texts) => {
    if (task === 'start') return start(handler, layouts, texts);
    return task === 'collect' ? settled : handlersOf();
  };
}
