/** Where in the author's own files an error happened. */
import { SourceMap } from 'node:module';

export type Positions = {
  /** The stack with every position in the author's files; frames that are not the script's are left out. */
  stack(stack: string): string;
  /** `file:line:column` of the topmost frame that is the script's, or undefined. */
  first(stack: string): string | undefined;
};

/** Positions of one compiled script. `map` is read when the first error needs it. */
export function positionsOf(name: string, map: string): Positions {
  let sourceMap: SourceMap | undefined;
  const frame = new RegExp(`${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}:(\\d+):(\\d+)`);

  function original(line: string): string | undefined {
    const found = frame.exec(line);
    if (!found) return undefined;
    sourceMap ??= new SourceMap(JSON.parse(map));
    const entry = sourceMap.findEntry(Number(found[1]) - 1, Number(found[2]) - 1);
    if (!('originalSource' in entry)) return undefined;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  }

  return {
    stack(stack) {
      const lines: string[] = [];
      for (const line of stack.split('\n')) {
        if (!/^\s+at /.test(line)) {
          lines.push(line);
          continue;
        }
        const position = original(line);
        if (position) lines.push(line.replace(frame, position));
      }
      return lines.join('\n');
    },
    first(stack) {
      for (const line of stack.split('\n')) {
        const position = /^\s+at /.test(line) || line.startsWith(name) ? original(line) : undefined;
        if (position) return position;
      }
      return undefined;
    },
  };
}
