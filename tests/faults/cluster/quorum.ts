import { connect } from 'node:net';

const ANSWER_MS = 5_000;
const DESCRIBE_QUORUM = 55;
const METADATA_TOPIC = '__cluster_metadata';

/** Asks a broker for the leader of the metadata quorum, which no client library here knows how to; null when it gives none. */
export function quorumLeader(address: string): Promise<number | null> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) }, () => socket.write(request()));
    let answer = Buffer.alloc(0);
    const end = (leader: number | null): void => {
      socket.destroy();
      resolve(leader);
    };
    socket.setTimeout(ANSWER_MS, () => end(null));
    socket.on('error', () => end(null));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) end(leaderIn(answer));
    });
  });
}

/** DescribeQuorum, version 0: one topic, its partition 0. */
function request(): Buffer {
  const client = Buffer.from('moon-faults');
  const topic = Buffer.from(METADATA_TOPIC);
  const body = Buffer.concat([
    int16(DESCRIBE_QUORUM),
    int16(0),
    int32(1),
    int16(client.length),
    client,
    Buffer.from([0, 2, topic.length + 1]),
    topic,
    Buffer.from([2]),
    int32(0),
    Buffer.from([0, 0, 0]),
  ]);
  return Buffer.concat([int32(body.length), body]);
}

/** Size, correlation and tags; error; array of topics: name; array of partitions: index, error, leader. Lengths of arrays and names: one byte. */
function leaderIn(answer: Buffer): number | null {
  if (answer.readInt16BE(9) !== 0) return null;
  const leader = 12 + 1 + METADATA_TOPIC.length + 1 + 4 + 2;
  const id = answer.readInt32BE(leader);
  return id > 0 ? id : null;
}

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
