import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchRefused, type BenchFigure, type BenchOptions, type BenchSize } from './figure';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  short: { type: 'boolean', default: false },
  rate: { type: 'string' },
  pace: { type: 'string' },
  spacing: { type: 'string' },
  minutes: { type: 'string' },
  patience: { type: 'string' },
} as const;

/**
 * `npm run bench [-- NAME…] [--json] [--short]`: runs every benchmark of this folder, or those named (a name stands for all that
 * begin with it and a hyphen too: `replay`), and prints each figure with its
 * baseline of the same run and the ratio to it. Nothing is asserted about time: machines differ, ratios stay.
 * `--short` does less of the same work, in the benches that can. `--rate R`, `--pace P`, `--spacing MS`, `--minutes N` and
 * `--patience N` are for those on real servers.
 * One whose servers cannot be had says so in one line; the others run, and the exit code is 1.
 */
async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals: named } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const size: BenchSize = values.short ? 'short' : 'full';
  const numbers = (['rate', 'pace', 'spacing', 'minutes', 'patience'] as const).flatMap((name) => {
    const text = values[name];
    return text === undefined ? [] : [[name, positive(`--${name}`, text)] as const];
  });
  const options: BenchOptions = Object.fromEntries(numbers);
  const all = readdirSync(__dirname)
    .filter((file) => file.endsWith('.js') && !['main.js', 'figure.js'].includes(file) && !file.includes('spec'))
    .map((file) => basename(file, '.js'));
  const chosen = (name: string): string[] => all.filter((one) => one === name || one.startsWith(`${name}-`));
  const unknown = named.filter((name) => chosen(name).length === 0);
  if (unknown.length > 0) {
    process.stderr.write(`There is no benchmark ${unknown.join(', ')}. There are: ${all.join(', ')}.\n`);
    return 2;
  }
  let code = 0;
  for (const name of named.length > 0 ? new Set(named.flatMap(chosen)) : all) {
    const { run } = (await import(join(__dirname, `${name}.js`))) as {
      run: (size: BenchSize, options: BenchOptions) => Promise<BenchFigure[]>;
    };
    try {
      for (const figure of await run(size, options))
        process.stdout.write(`${values.json ? JSON.stringify(figure) : line(figure)}\n`);
    } catch (error) {
      if (!(error instanceof BenchRefused)) throw error;
      process.stderr.write(`${name}: ${error.message}\n`);
      code = 1;
    }
  }
  return code;
}

/** @throws Error */
function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} ${text}: expected a number above 0.`);
  return value;
}

function line({ bench, metric, value, unit, baseline, ratio, bound }: BenchFigure): string {
  const against =
    baseline === null ? '' : `   baseline ${format(baseline)}   ratio ${ratio === null ? '-' : format(ratio)}`;
  const limit = bound === undefined ? '' : ` document ≤ ${format(bound)}: ${value <= bound ? 'met' : 'NOT met'}`;
  return `${bench.padEnd(24)} ${metric.padEnd(44)} ${format(value).padStart(12)} ${unit.padEnd(10)}${against}${against === '' ? '' : '  '}${limit}`.trimEnd();
}

function format(value: number): string {
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en') : value.toPrecision(4);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
