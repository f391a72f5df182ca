import { RunningClock } from '@moon/kernel';
import { ManualClock } from '../testing/manual-clock';
import { StubVenue, until } from '../testing/stub-venue';
import { ReconnectingSocket, type SocketOptions } from './socket';

const QUICK: Omit<SocketOptions, 'url' | 'clock' | 'random'> = {
  pingMs: 40,
  silenceMs: 150,
  connectTimeoutMs: 300,
  reconnectMinMs: 10,
  reconnectMaxMs: 80,
};

interface Heard {
  ups: number;
  texts: string[];
  downs: { reason: string; retryMs: number }[];
}

function socketTo(url: string, over: Partial<SocketOptions> = {}): { socket: ReconnectingSocket; heard: Heard } {
  const heard: Heard = { ups: 0, texts: [], downs: [] };
  const options = { url, clock: new RunningClock(), random: () => 0.5, ...QUICK, ...over };
  const socket = new ReconnectingSocket(options, {
    up: () => void (heard.ups += 1),
    down: (reason, retryMs) => void heard.downs.push({ reason, retryMs }),
    text: (content) => void heard.texts.push(content),
    binary: () => undefined,
  });
  return { socket, heard };
}

describe('ReconnectingSocket', () => {
  let venue: StubVenue;
  beforeEach(async () => void (venue = await StubVenue.open()));
  afterEach(() => venue.close());

  it('connects, sends heartbeats, and stays up as long as they are answered', async () => {
    const { socket, heard } = socketTo(venue.urls.wsUrl);
    socket.connect();
    await until('five heartbeats were sent', () => venue.heard.filter(({ method }) => method === 'ping').length >= 5);
    socket.close();
    expect(heard).toMatchObject({ ups: 1, downs: [] });
    expect(heard.texts[0]).toBe('Websocket connection established.');
    expect(heard.texts).toContain('{"channel":"pong"}');
  });

  it('[INT-2] gives up a connection on which nothing is heard any more, and makes a new one', async () => {
    const { socket, heard } = socketTo(venue.urls.wsUrl);
    socket.connect();
    await until('it is connected', () => heard.ups === 1);
    venue.isMute = true;
    await until('the silence is noticed', () => heard.downs.length === 1);
    expect(heard.downs[0]?.reason).toMatch(/nothing heard for \d+ ms/);
    venue.isMute = false;
    await until('it is connected again', () => heard.ups === 2);
    socket.close();
  });

  it.each([
    ['a connection cut in the middle of a frame', (stub: StubVenue) => stub.dropMidFrame()],
    ['bytes that are no frame', (stub: StubVenue) => stub.sendGarbage()],
    ['a connection that is cut', (stub: StubVenue) => stub.dropAll()],
  ])('[INT-2] survives %s', async (_what, misbehave) => {
    const { socket, heard } = socketTo(venue.urls.wsUrl);
    socket.connect();
    await until('it is connected', () => heard.ups === 1);
    misbehave(venue);
    await until('it is connected again', () => heard.ups === 2);
    socket.close();
    expect(heard.downs).toHaveLength(1);
  });

  it('doubles its waits with jitter up to the longest, and begins anew once something was heard', async () => {
    venue.isClosed = true;
    const shares = [0, 0.999, 0.5, 0.5, 0.5, 0.5];
    const { socket, heard } = socketTo(venue.urls.wsUrl, { random: () => shares[heard.downs.length] ?? 0.5 });
    socket.connect();
    await until('six attempts have failed', () => heard.downs.length >= 6);
    // min 10, doubled: 10, 20, 40, 80, 80 …; each between half of it and all of it.
    expect(heard.downs.slice(0, 6).map(({ retryMs }) => retryMs)).toEqual([5, 20, 30, 60, 60, 60]);
    venue.isClosed = false;
    await until('it is connected', () => heard.texts.length > 0);
    const before = heard.downs.length;
    venue.dropAll();
    await until('it is lost again', () => heard.downs.length > before);
    expect(heard.downs[before]?.retryMs).toBeLessThanOrEqual(10);
    socket.close();
  });

  it('does nothing more once it is closed, whether it was waiting, connecting or connected', async () => {
    const clock = new ManualClock(1_737_918_847_000);
    const { socket, heard } = socketTo(venue.urls.wsUrl, { clock });
    socket.connect();
    socket.close();
    socket.connect();
    await until('it is connected', () => heard.ups === 1);
    socket.close();
    const connections = venue.connections;
    clock.advance(600_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(venue.connections).toBe(connections);
    expect(heard.downs).toEqual([]);
  });
});
