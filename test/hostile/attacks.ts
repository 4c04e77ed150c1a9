/** The attacks: a file each in scripts/, with what it does and what is expected to stop it in its first lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Attack = {
  name: string;
  /** What it does, in a sentence. */
  deed: string;
  /** Outcomes of its first run that are as they should be; `load`: it does not get in force. */
  expected: string[];
  /** What goes into its settings file; JSON, which is YAML. */
  settings: string | undefined;
  source: string;
};

const folder = join(import.meta.dirname, 'scripts');

export function readAttacks(): Attack[] {
  return readdirSync(folder)
    .sort()
    .map(file => {
      const source = readFileSync(join(folder, file), 'utf8');
      const header = (name: string) => new RegExp(`^// ${name}: (.*)$`, 'm').exec(source)?.[1];
      const [deed, expected] = [header('attack'), header('expect')];
      if (!deed || !expected) throw new Error(`${file}: its first lines are to say \`// attack: …\` and \`// expect: …\``);
      return { name: file.replace(/\.js$/, ''), deed, expected: expected.split('|'), settings: header('settings'), source };
    });
}
