import { gate } from '../../../kernel/src/testing/recording-listener';
import { Membership } from './membership';

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

describe('membership of a group', () => {
  let log: string[];
  let door: { opened: Promise<void>; open: () => void } | null;
  let membership: Membership;

  beforeEach(() => {
    log = [];
    door = null;
    membership = new Membership({
      assign: async (shards) => {
        log.push(`assign ${shards.join()}`);
        await door?.opened;
      },
      revoke: async (shards) => {
        log.push(`revoke ${shards.join()}`);
        await door?.opened;
        log.push(`revoked ${shards.join()}`);
      },
      rejoin: () => log.push('rejoin'),
      onError: (error, what) => log.push(`${what}: ${String(error)}`),
    });
  });

  /** A join as it happens: what is claimed goes out, then the group answers. */
  const join = async (memberId: string, shards: number[]): Promise<void> => {
    membership.claim();
    membership.joined(memberId, shards);
    await settled();
  };

  it('lets go of what it lost, then has the group divide it', async () => {
    await join('a', [0, 1, 2, 3]);
    await join('a', [0, 1]);
    expect(log).toEqual(['assign 0,1,2,3', 'revoke 2,3', 'revoked 2,3', 'rejoin']);
    expect(membership.claim()).toEqual({ memberId: 'a', shards: [0, 1] });
  });

  it('claims what it has not finished with, and takes it on anew when it comes back meanwhile', async () => {
    await join('a', [0, 1]);
    door = gate();
    await join('a', [0]);
    expect(membership.claim()).toEqual({ memberId: 'a', shards: [0, 1] });
    await join('a', [0, 1]);
    expect(log).toEqual(['assign 0,1', 'revoke 1']);
    door.open();
    await settled();
    expect(log.slice(2)).toEqual(['revoked 1', 'assign 1', 'rejoin']);
  });

  it('lets go of everything when it was expelled: somebody else may have had it', async () => {
    await join('a', [0, 1]);
    await join('b', [0, 1]);
    expect(log).toEqual(['assign 0,1', 'revoke 0,1', 'revoked 0,1', 'assign 0,1']);
    expect(membership.claim()).toEqual({ memberId: 'b', shards: [0, 1] });
  });

  it('changes nothing when the group gives the same again', async () => {
    await join('a', [0, 1]);
    await join('a', [1, 0]);
    expect(log).toEqual(['assign 0,1']);
  });

  it('takes on and lets go one after the other, and lets go of everything at the end', async () => {
    door = gate();
    await join('a', [0]);
    await join('a', [1]);
    const stopped = membership.stop();
    expect(log).toEqual(['assign 0']);
    door.open();
    await stopped;
    expect(log).toEqual(['assign 0', 'revoke 0', 'revoked 0']);
    expect(membership.claim().shards).toEqual([]);
  });
});
