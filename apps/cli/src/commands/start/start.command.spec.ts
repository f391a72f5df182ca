import { withoutStack } from './start.command';

describe('moon start --stack', () => {
  it.each([
    [
      ['--only', 'agent.chart', '--stack', '.moon/stack', '--port', '0'],
      '.moon/stack',
      ['--only', 'agent.chart', '--port', '0'],
    ],
    [['--stack=a folder', '--port', '0'], 'a folder', ['--port', '0']],
    [['--port', '0'], undefined, ['--port', '0']],
  ])('of %j is %j, and the application gets the rest', (given, folder, own) => {
    expect(withoutStack(given)).toEqual({ ...(folder !== undefined && { folder }), own });
  });

  it.each([[['--stack']], [['--stack', '--port']], [['--stack=']]])('%j names no folder', (given) => {
    expect(() => withoutStack(given)).toThrow('--stack: expected the folder of a stack');
  });
});
