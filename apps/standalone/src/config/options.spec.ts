import { ConfigError } from '@moon/infra';
import { readOptions } from './options';

function problemsOf(...argv: string[]): readonly string[] {
  try {
    readOptions(argv, {});
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('The flags of npm start', () => {
  it('files make the run a recorded one', () => {
    const { config, exit } = readOptions(['--from', 'a.csv', 'b.csv@FTX', '--speed', 'max', '--exit'], {});
    expect(config.feed).toMatchObject({ kind: 'recorded', from: ['a.csv', 'b.csv@FTX'], speed: 'max' });
    expect(exit).toBe(true);
  });

  it('a recorded run without files, or with a range that is none, is a wrong setting', () => {
    expect(problemsOf('--feed', 'recorded')).toEqual(['A recorded run needs files: --from FILE…']);
    expect(problemsOf('--from', 'a.csv', '--start', 'May 19 2021')).toEqual([
      expect.stringContaining('"feed.start" is "May 19 2021": expected an instant in UTC'),
    ]);
    expect(problemsOf('--from', 'a.csv', '--start', '2021-05-19', '--end', '2021-05-19')).toEqual([
      expect.stringContaining('must be after'),
    ]);
    expect(problemsOf('--from', 'a.csv', '--start', '2021-05-19T12:00', '--end', '2021-05-20')).toEqual([]);
  });

  it('words that a setting knows are named', () => {
    expect(problemsOf('--feed', 'foo')).toEqual([
      expect.stringContaining('"feed.kind" is "foo": expected one of auto, hyperliquid, synthetic, recorded.'),
    ]);
    expect(problemsOf('--set', 'venue.address=nowhere')).toEqual([expect.stringContaining('"venue.address"')]);
    expect(problemsOf('--set', 'venue')).toEqual([expect.stringContaining('expected NAME=VALUE')]);
  });
});
