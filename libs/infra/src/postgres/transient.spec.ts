import { CommitUnknown, isTransientStoreError } from './transient';

const sqlError = (code: string, severity: string, message = 'x'): Error =>
  Object.assign(new Error(message), { code, severity });

describe('what passes by itself on the event store', () => {
  it.each([
    ['a disk that is full, in a statement', sqlError('53100', 'ERROR')],
    [
      'a disk that is full, in the server when it greets a new session',
      sqlError('XX000', 'FATAL', 'could not write init file'),
    ],
    ['a file that could not be read, which ended the session', sqlError('58030', 'FATAL')],
    ['a write-ahead log that could not be synced', sqlError('58030', 'PANIC')],
    ['a server that starts', sqlError('57P03', 'FATAL')],
    ['a connection that broke, below another error', new Error('append', { cause: sqlError('08006', 'FATAL') })],
    ['a commit whose outcome is open', new CommitUnknown('time-out')],
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
  ])('[SYS-8] %s', (_what, error) => {
    expect(isTransientStoreError(error)).toBe(true);
  });

  it.each([
    ['an internal error of a statement: a damaged page', sqlError('XX001', 'ERROR')],
    ['a damaged catalog that a new session meets', sqlError('XX001', 'FATAL')],
    ['a wrong password', sqlError('28P01', 'FATAL')],
    ['a database that is not there', sqlError('3D000', 'FATAL')],
    ['a value that the store refuses', sqlError('22P02', 'ERROR')],
    ['what is no error of a store', new TypeError('x is not a function')],
  ])('does not count %s', (_what, error) => {
    expect(isTransientStoreError(error)).toBe(false);
  });
});
