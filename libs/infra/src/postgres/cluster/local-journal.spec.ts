import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeptBatch } from '@moon/kernel';
import { depositRow } from '../../../../kernel/src/contracts/event-store.contract';
import { LocalJournalFile } from './local-journal';

const batch = (afterSeq: number, toSeq: number): KeptBatch => ({
  batch: {
    ...{ afterSeq, toSeq, publishedSeq: 0 },
    entries: [
      { kind: 'messages', topic: 'price.ticks', partition: 2, from: afterSeq, count: toSeq - afterSeq },
      { kind: 'input', event: depositRow(toSeq, 1).event },
    ],
  },
  rows: [depositRow(toSeq, 1)],
});

describe('a local journal on disk', () => {
  let directory: string;
  const open = (): LocalJournalFile => new LocalJournalFile(directory, 'execution#1');

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'moon-local-')), 'made', 'on demand');
  });
  afterEach(() => rmSync(join(directory, '../..'), { recursive: true }));

  it('gives back what was kept, batch by batch, to whoever opens it next', async () => {
    expect(await open().read()).toBeNull();
    const journal = open();
    await journal.keep([batch(10, 12), batch(12, 13)]);
    await journal.keep([batch(13, 20)]);
    expect(await open().read()).toEqual([batch(10, 12), batch(12, 13), batch(13, 20)]);
  });

  it('of another shard knows nothing', async () => {
    await open().keep([batch(1, 2)]);
    expect(await new LocalJournalFile(directory, 'execution#2').read()).toBeNull();
  });

  it('leaves out a line that a crash cut off, and writes over it', async () => {
    const journal = open();
    await journal.keep([batch(1, 2)]);
    const whole = readFileSync(journal.path, 'utf8');
    appendFileSync(journal.path, whole.slice(0, 40));
    expect(await open().read()).toEqual([batch(1, 2)]);
    await open().keep([batch(2, 3)]);
    expect(await open().read()).toEqual([batch(1, 2), batch(2, 3)]);
  });

  it('names file, line and what to do when a whole line was changed', async () => {
    const journal = open();
    await journal.keep([batch(1, 2), batch(2, 3)]);
    const lines = readFileSync(journal.path, 'utf8').split('\n');
    writeFileSync(journal.path, [lines[0], lines[1]!.replace('"toSeq":3', '"toSeq":4'), ''].join('\n'));
    await expect(open().read()).rejects.toThrow(`${journal.path}, line 2: its checksum is wrong`);
    await expect(open().read()).rejects.toThrow('compare the portfolios with the venue');
  });

  it('is empty once it is cleared; set aside it can still be read by people', async () => {
    const journal = open();
    await journal.keep([batch(1, 2)]);
    await journal.clear();
    expect(await journal.read()).toBeNull();
    await journal.clear();
    await journal.keep([batch(1, 2)]);
    const path = await journal.setAside();
    expect(await journal.read()).toBeNull();
    expect(readFileSync(path, 'utf8')).toContain('"afterSeq":1');
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('says that nothing was kept when the disk takes nothing', async () => {
    writeFileSync(join(directory, '../..', 'file'), '');
    const journal = new LocalJournalFile(join(directory, '../..', 'file'), 'execution#1');
    await expect(journal.keep([batch(1, 2)])).rejects.toThrow();
  });
});
