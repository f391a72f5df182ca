import { CommandLine } from './testing/command-line';

describe('the command line', () => {
  const line = new CommandLine();
  afterAll(() => line.remove());

  it.each([
    [['evnts'], /unknown command 'evnts'\n\(Did you mean events\?\)/],
    [['events', '--tial'], /unknown option '--tial'\n\(Did you mean --tail\?\)/],
    [['halt', '--global', '--resaon', 'x'], /^moon: unknown option '--resaon'\n\(Did you mean --reason\?\)/],
    [['halt', '--global'], /Give --reason TEXT/],
    [['lookahead-check', '--confg', 'x'], /^moon: unknown option '--confg'\n\(Did you mean --config\?\)/],
    [['lookahead-check'], /Give --config FILE/],
    [['--jsn', 'runs'], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
    [['dead-letters', 'reply', 'abc'], /(unknown command 'reply'\n\(Did you mean replay\?\)|too many arguments)/],
    [['trace'], /missing required argument 'id'/],
    [['import'], /missing required argument 'files'/],
    [['import', 'x.csv', '--stamps', 'middle'], /Allowed choices are open, close/],
  ])('tells the nearest right name in %j, and ends with 2', async (argv, message) => {
    const { code, out, err } = await line.moon(...argv);
    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(err.join('\n')).toMatch(message);
    expect(err.join('\n')).not.toMatch(/ {4}at /);
  });

  it.each(['import', 'events', 'trace', 'portfolio', 'dead-letters', 'halt', 'lift', 'runs', 'doctor'])(
    'has help for %s',
    async (command) => {
      const { code, out } = await line.moon(command, '--help');
      expect(code).toBe(0);
      expect(out.join('\n')).toMatch(new RegExp(`^Usage: moon ${command}`));
    },
  );

  it('shows where an error comes from with --debug, and only then', async () => {
    const [plain, debug] = [await line.moon('runs'), await line.moon('runs', '--debug')];
    expect(plain.err.join('\n')).not.toMatch(/ {4}at /);
    expect(debug.err.join('\n')).toMatch(/CommandFailed: There are no data[^]* {4}at /);
  });
});
