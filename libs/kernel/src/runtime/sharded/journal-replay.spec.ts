import { JournalIncomplete, JournalReplay } from './journal-replay';
import { MessageBuffer } from './message-buffer';

const batch = { afterSeq: 10, toSeq: 12, publishedSeq: 0, entries: [] };

describe('a journal that is handled again', () => {
  it('[EVS-3] does not begin behind a hole: what has expired is no beginning', () => {
    const replay = new JournalReplay('execution#0', [batch], new MessageBuffer(9), () => 0);
    expect(() => replay.next()).toThrow(JournalIncomplete);
    expect(() => replay.next()).toThrow(/lacks positions 1 to 10, .* Restore the newest checkpoint/);
  });

  it('begins where a checkpoint stands, also inside of a batch', () => {
    const replay = new JournalReplay('execution#0', [batch], new MessageBuffer(9), () => 12);
    expect(replay.next()).toEqual({ kind: 'end' });
  });
});
