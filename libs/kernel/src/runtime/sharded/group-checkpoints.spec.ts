import type { BusPosition } from '../../ports/bus';
import { gate } from '../../testing/recording-listener';
import { GroupCheckpoints } from './group-checkpoints';
import type { Shard } from './shard';

/** As much of a shard as takes checkpoints. */
class Saver {
  taken = 0;
  wait: Promise<void> = Promise.resolve();

  constructor(
    private readonly partition: number,
    private readonly log: string[],
  ) {}

  async checkpoint(): Promise<BusPosition[]> {
    this.taken += 1;
    this.log.push(`begin ${this.partition}`);
    await this.wait;
    this.log.push(`end ${this.partition}`);
    return [{ topic: 'market.bars', partition: this.partition, offset: this.taken }];
  }
}

describe('checkpoints of a group', () => {
  let log: string[];
  let savers: Saver[];
  let committed: string[][];
  let problems: string[];
  let checkpoints: GroupCheckpoints;

  beforeEach(() => {
    jest.useFakeTimers();
    log = [];
    committed = [];
    problems = [];
    savers = [0, 1, 2].map((partition) => new Saver(partition, log));
    checkpoints = new GroupCheckpoints({
      shards: () => savers as unknown as Shard[],
      commit: (positions) => {
        committed.push(positions.map(({ partition, offset }) => `${partition}@${offset}`));
        return Promise.resolve();
      },
      onProblem: (message) => problems.push(message),
    });
  });
  afterEach(() => jest.useRealTimers());

  it('[AGT-4] are taken one after the other, and told to the broker together', async () => {
    await checkpoints.take();
    expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
    expect(committed).toEqual([['0@1', '1@1', '2@1']]);
  });

  it('[NFA-1] do not wait for a shard that cannot store its own: its offsets are told once it could', async () => {
    const door = gate();
    savers[0]!.wait = door.opened;
    const first = checkpoints.take();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(committed).toEqual([['1@1', '2@1']]);
    await checkpoints.take();
    expect(committed.at(-1)).toEqual(['1@2', '2@2']);
    door.open();
    await first;
    await checkpoints.take();
    expect(committed.at(-1)).toEqual(['0@1', '0@2', '1@3', '2@3']);
  });

  it('[NFA-1] do not pile up while the store or the brokers are away: each shard takes the one that waits', async () => {
    const door = gate();
    for (const saver of savers) saver.wait = door.opened;
    const rounds: Promise<void>[] = [];
    for (let round = 0; round < 720; round += 1) {
      rounds.push(checkpoints.take());
      await jest.advanceTimersByTimeAsync(5_000);
    }
    expect(savers.map(({ taken }) => taken)).toEqual([1, 1, 1]);
    door.open();
    await Promise.all(rounds);
    expect(savers.map(({ taken }) => taken)).toEqual([1, 1, 1]);
    await checkpoints.take();
    expect(savers.map(({ taken }) => taken)).toEqual([2, 2, 2]);
  });

  it('are made up for by the next when one was not stored, and none of the others is lost', async () => {
    savers[1]!.wait = Promise.reject(new Error('no answer'));
    await checkpoints.take();
    expect(problems).toEqual(['a checkpoint was not stored']);
    savers[1]!.wait = Promise.resolve();
    await checkpoints.take();
    expect(committed).toEqual([
      ['0@1', '2@1'],
      ['0@2', '1@2', '2@2'],
    ]);
  });
});
