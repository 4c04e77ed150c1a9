/**
 * What the child says, checked before anybody reads it. The child runs what users wrote and may be in anybody's hands: of its frames only
 * bytes are certain.
 */

import { type Frame, FrameError } from './frame.ts';
import { type HandlerName, handlerNames } from './handler-names.ts';
import {
  logLevels,
  lookupKinds,
  maxArgumentLength,
  maxErrorLength,
  maxLogLength,
  maxResultLength,
  type Outcome,
  outcomes,
  type Reply,
  type ScriptError,
} from './protocol.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The reply that a frame holds, with nothing in it that the protocol does not have. Throws {@link FrameError} for anything else. */
export function checkReply({ header, segments }: Frame<unknown>): Frame<Reply> {
  if (!isRecord(header)) throw new FrameError('a header that is no object');
  const reply = replyOf(header);
  const longest = longestSegments(reply);
  if (segments.length !== longest.length) throw new FrameError(`${segments.length} texts with ${reply.type}`);
  for (const [index, segment] of segments.entries()) {
    if (segment.length > longest[index]!) throw new FrameError(`a text of ${segment.length} characters with ${reply.type}`);
  }
  return { header: reply, segments };
}

/** An error from a script's own realm or from the child, cut to what is of use. */
export function readScriptError(value: unknown): ScriptError {
  const { name, message, stack } = isRecord(value) ? value : {};
  const text = (part: unknown, length: number) => (typeof part === 'string' ? part.slice(0, length) : '');
  return {
    name: text(name, maxErrorLength.name),
    message: text(message, maxErrorLength.message),
    stack: text(stack, maxErrorLength.stack),
  };
}

function longestSegments(reply: Reply): number[] {
  if (reply.type === 'log') return [maxLogLength];
  return reply.type === 'result' && reply.outcome === 'ok' ? [maxResultLength] : [];
}

function replyOf(header: Fields): Reply {
  const { type } = header;
  switch (type) {
    case 'ready':
    case 'rested':
      return { type };
    case 'loaded':
      return { type, id: idOf(header), handlers: handlersOf(header), micros: amountOf(header, 'micros') };
    case 'prepared':
      return { type, id: idOf(header), micros: amountOf(header, 'micros') };
    case 'failed':
      return { type, id: idOf(header), outcome: failedOutcomeOf(header), error: errorOf(header) };
    case 'log':
      return { type, id: idOf(header), level: oneOf(header, 'level', logLevels), dropped: amountOf(header, 'dropped') };
    case 'lookup':
      return { type, id: idOf(header), kind: oneOf(header, 'kind', lookupKinds), argument: textOf(header, 'argument', maxArgumentLength) };
    case 'result':
      return resultOf(header);
    case 'done':
      return { type, isolates: amountOf(header, 'isolates'), micros: amountOf(header, 'micros'), contexts: amountOf(header, 'contexts') };
    default:
      throw new FrameError(`a reply of type ${typeof type === 'string' ? type.slice(0, 20) : typeof type}`);
  }
}

function resultOf(header: Fields): Reply {
  const common = { type: 'result' as const, id: idOf(header), micros: amountOf(header, 'micros') };
  const outcome = oneOf(header, 'outcome', outcomes);
  if (outcome === 'ok') return { ...common, outcome };
  return header['error'] === undefined ? { ...common, outcome } : { ...common, outcome, error: errorOf(header) };
}

function idOf(header: Fields): string {
  return textOf(header, 'id', 1000);
}

function handlersOf({ handlers }: Fields): HandlerName[] {
  const known = Array.isArray(handlers) && handlers.length <= handlerNames.length && handlers.every(name => handlerNames.includes(name));
  if (!known || new Set(handlers).size !== handlers.length) throw new FrameError('handlers that do not exist');
  return handlers;
}

function failedOutcomeOf(header: Fields): Exclude<Outcome, 'ok'> {
  const outcome = oneOf(header, 'outcome', outcomes);
  if (outcome === 'ok') throw new FrameError('a failure that is none');
  return outcome;
}

function errorOf({ error }: Fields): ScriptError {
  if (!isRecord(error)) throw new FrameError('an error that is no object');
  return {
    name: textOf(error, 'name', maxErrorLength.name),
    message: textOf(error, 'message', maxErrorLength.message),
    stack: textOf(error, 'stack', maxErrorLength.stack),
  };
}

function textOf(fields: Fields, name: string, longest: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > longest) throw new FrameError(`${name} that is no text of at most ${longest} characters`);
  return value;
}

function amountOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new FrameError(`${name} that is no amount`);
  return value;
}

function oneOf<Value extends string>(fields: Fields, name: string, values: readonly Value[]): Value {
  const found = values.find(value => value === fields[name]);
  if (found === undefined) throw new FrameError(`a ${name} that does not exist`);
  return found;
}

function isRecord(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
