/** The race's result as text, in Markdown. */
import { cpus } from 'node:os';
import { type Spread, spread } from './figures.ts';
import type { RaceResult } from './race.ts';
import type { Figures } from './session.ts';

type Row = {
  figure: keyof Figures;
  label: string;
  unit: string;
  /** What the ratio us/Go is to be, by the number of scripts. */
  ratio?: Record<number, number>;
  /** What our figure is to be, at most. */
  limit?: number;
  /** More is better: the ratio is to be at least, not at most, the target. */
  more?: true;
};

const spaced = { 1: 1, 10: 0.2, 50: 0.12 };
const notSlower = { 1: 1, 10: 1, 50: 1 };

const rows: Row[] = [
  { figure: 'spacedP50', label: 'CreateContainer p50, events 5 ms apart', unit: 'µs', ratio: spaced },
  { figure: 'spacedP99', label: 'CreateContainer p99, events 5 ms apart', unit: 'µs', ratio: spaced },
  { figure: 'denseP50', label: 'CreateContainer p50, back to back', unit: 'µs', ratio: notSlower },
  { figure: 'denseP99', label: 'CreateContainer p99, back to back', unit: 'µs', ratio: notSlower },
  { figure: 'createSpacedP50', label: 'p50, CreateContainer only, 5 ms apart', unit: 'µs', ratio: spaced },
  { figure: 'createSpacedP99', label: 'p99, CreateContainer only, 5 ms apart', unit: 'µs', ratio: spaced },
  { figure: 'createDenseP50', label: 'p50, CreateContainer only, back to back', unit: 'µs', ratio: notSlower },
  { figure: 'createDenseP99', label: 'p99, CreateContainer only, back to back', unit: 'µs', ratio: notSlower },
  { figure: 'first', label: 'First CreateContainer of fresh processes', unit: 'µs' },
  { figure: 'createDenseEvents', label: 'CreateContainer events per second', unit: '/s', ratio: notSlower, more: true },
  { figure: 'denseEvents', label: 'Events per second, all of a life', unit: '/s', more: true },
  { figure: 'spacedCpu', label: 'CPU per event, 5 ms apart', unit: 'µs' },
  { figure: 'denseCpu', label: 'CPU per event, back to back', unit: 'µs' },
  { figure: 'pss', label: 'PSS after the run', unit: 'MiB', ratio: { 10: 1, 50: 0.4 } },
  { figure: 'rss', label: 'RSS after the run', unit: 'MiB' },
  { figure: 'ready', label: 'Ready', unit: 'ms', limit: 400 },
];

const idleLimit = 5;

export function table(result: RaceResult): string {
  const { options, rounds, strangers } = result;
  const date = new Date().toISOString().slice(0, 10);
  const lines = [
    `${date}, ${cpus().length} × ${cpus()[0]!.model}, Node ${process.version}, upstream's NRI ${result.nriVersion};`,
    `${options.rounds} rounds of up to ${options.containers} containers, ${result.requestBytes} bytes a CreateContainer request.`,
    '',
    '| | scripts | Go plugins | nri-scripts | us/Go, median (min–max) | target | |',
    '|---|--:|--:|--:|--:|--:|---|',
  ];
  for (const row of rows) {
    for (const count of options.counts) lines.push(cells(lineOf(row, count, result)));
  }
  const idle = spread(rounds.map(round => round.idle));
  const idleText = `${shown(idle.median)} (${shown(idle.min)}–${shown(idle.max)}) µs`;
  lines.push(cells(['A script that does not match, each', '', '', idleText, '', `< ${idleLimit} µs`, verdict(idle.median < idleLimit)]));
  if (strangers > 0) lines.push('', `${strangers} other processes ran the same Node: the PSS of nri-scripts is less by their share.`);
  return lines.join('\n');
}

function lineOf({ figure, label, unit, ratio, limit, more }: Row, count: number, { rounds }: RaceResult): string[] {
  const pairs = rounds.map(round => round.pairs[count]!);
  const us = spread(pairs.map(pair => pair.us[figure]));
  const go = spread(pairs.map(pair => pair.go[figure]));
  const ratios = spread(pairs.map(pair => pair.us[figure] / pair.go[figure]));
  const wanted = ratio?.[count];
  let target = '';
  let met: boolean | undefined;
  if (limit !== undefined) {
    target = `≤ ${limit} ${unit}`;
    met = us.median <= limit;
  } else if (wanted !== undefined) {
    target = `${more ? '≥' : '≤'} ${wanted}×`;
    met = more ? ratios.median >= wanted : ratios.median <= wanted;
  }
  const value = ({ median }: Spread) => `${shown(median)} ${unit}`;
  const times = ({ median, min, max }: Spread) => `${median.toFixed(2)}× (${min.toFixed(2)}–${max.toFixed(2)})`;
  return [label, String(count), value(go), value(us), times(ratios), target, met === undefined ? '' : verdict(met)];
}

function verdict(met: boolean): string {
  return met ? 'met' : 'missed';
}

function cells(values: string[]): string {
  return `| ${values.join(' | ')} |`;
}

function shown(value: number): string {
  return Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0);
}
