import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { BenchFigure, BenchSize } from './figure';

/**
 * `npm run bench [-- NAME…] [--json] [--short]`: runs every benchmark of this folder, or those named (a name stands for all that
 * begin with it and a hyphen too: `replay`), and prints each figure with its
 * baseline of the same run and the ratio to it. Nothing is asserted about time: machines differ, ratios stay.
 * `--short` does less of the same work, in the benches that can.
 */
async function main(argv: readonly string[]): Promise<number> {
  const isJson = argv.includes('--json');
  const size: BenchSize = argv.includes('--short') ? 'short' : 'full';
  const named = argv.filter((name) => !name.startsWith('--'));
  const all = readdirSync(__dirname)
    .filter((file) => file.endsWith('.js') && !['main.js', 'figure.js'].includes(file) && !file.includes('spec'))
    .map((file) => basename(file, '.js'));
  const chosen = (name: string): string[] => all.filter((one) => one === name || one.startsWith(`${name}-`));
  const unknown = named.filter((name) => chosen(name).length === 0);
  if (unknown.length > 0) {
    process.stderr.write(`There is no benchmark ${unknown.join(', ')}. There are: ${all.join(', ')}.\n`);
    return 2;
  }
  for (const name of named.length > 0 ? new Set(named.flatMap(chosen)) : all) {
    const { run } = (await import(join(__dirname, `${name}.js`))) as {
      run: (size: BenchSize) => Promise<BenchFigure[]>;
    };
    for (const figure of await run(size)) process.stdout.write(`${isJson ? JSON.stringify(figure) : line(figure)}\n`);
  }
  return 0;
}

function line({ bench, metric, value, unit, baseline, ratio }: BenchFigure): string {
  const against =
    baseline === null ? '' : `   baseline ${format(baseline)}   ratio ${ratio === null ? '-' : format(ratio)}`;
  return `${bench.padEnd(24)} ${metric.padEnd(44)} ${format(value).padStart(12)} ${unit.padEnd(10)}${against}`;
}

function format(value: number): string {
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en') : value.toPrecision(4);
}

void main(process.argv.slice(2)).then((code) => process.exit(code));
