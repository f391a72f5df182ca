import { membersOf } from './cluster-view';

const asked = { host: '10.0.0.9', port: 7000 };

describe('what a node of a Redis Cluster says of the others', () => {
  it('names owners with their slots; one that is on its way still is its owner’s', () => {
    const text =
      'a1 127.0.0.1:7001@17001 myself,master - 0 0 3 connected 0-100 200 [93->-b2]\n' +
      'b2 127.0.0.1:7002@17002,cache-2 master,fail - 0 0 12 disconnected 101-199\n' +
      'c3 127.0.0.1:7003@17003,,tls-port=0,shard-id=1 slave b2 0 0 12 connected\n';
    const at = (port: number) => ({ host: '127.0.0.1', port });
    expect(membersOf(text, asked)).toEqual([
      { ...at(7001), epoch: 3, isPrimary: true, hasFailed: false, ranges: [[0, 100], [200, 200]] }, // prettier-ignore
      { ...at(7002), epoch: 12, isPrimary: true, hasFailed: true, ranges: [[101, 199]] },
      { ...at(7003), epoch: 12, isPrimary: false, hasFailed: false, ranges: [] },
    ]);
  });

  it('takes the address that was asked for a node that does not know its own, and a suspicion for none', () => {
    expect(membersOf('a1 :7001@17001 myself,master,fail? - 0 0 0 connected', asked)).toEqual([
      { host: '10.0.0.9', port: 7001, epoch: 0, isPrimary: true, hasFailed: false, ranges: [] },
    ]);
  });

  it('knows addresses of the sixth version, and leaves out nodes without one', () => {
    const text =
      'a1 ::1:7001@17001 master - 0 0 1 connected\n' +
      'b2 :0@0 master,noaddr - 0 0 1 disconnected 5\n' +
      'c3 127.0.0.1:7003@17003 handshake - 0 0 0 connected\n';
    expect(membersOf(text, asked).map(({ host, port }) => ({ host, port }))).toEqual([{ host: '::1', port: 7001 }]);
  });
});
