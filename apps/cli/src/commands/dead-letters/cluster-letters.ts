import { groupNames } from '@moon/cluster';
import { DeadLetters, type BuriedMessage } from '@moon/infra';
import { withCluster, type ClusterView } from '../../cluster/read-log';
import type { ClusterOptions } from '../../cluster/settings';
import { CommandFailed, UsageError } from '../../errors';
import type { Io } from '../../io';
import { patienceOf } from '../../operator/ask-cluster';
import { table } from '../../output/table';
import { clock, cut, plural, shortId } from '../../output/text';
import { findLetter, readLetters } from './letters';
import { replayInCluster } from './replay-cluster';

type Options = ClusterOptions & { handler?: string };

/** A message that a consumer group could not read, under the name that `show` and `replay` take. */
interface BusLetter extends Omit<BuriedMessage, 'value'> {
  /** GROUP/OFFSET. */
  name: string;
  group: string;
  /** As text, or base64 when it is none. */
  value: string;
}

const NAME = /^([a-z][\w.-]*)\/(\d+)$/;
const ERROR_WIDTH = 80;

/** Lists what waits for an operator: messages that no group could read, events that handlers gave up, parked keys. */
export async function listClusterLetters(io: Io, options: Options): Promise<void> {
  await withCluster(io, options, async (view) => {
    const [messages, letters] = await Promise.all([readAll(view), readLetters(view)]);
    if (options.json) {
      io.out(JSON.stringify({ run: view.run.runId, messages, letters }));
      return;
    }
    const rows = [
      ...messages.map(({ name, at, origin, reason, detail }) => {
        const from = `${origin.topic}/${origin.partition}/${origin.offset}`;
        return [name, 'message', from, clock(Date.parse(at)), `${reason}: ${cut(detail, ERROR_WIDTH)}`];
      }),
      ...letters.map(({ eventId, kind, handler, handlerKey, since, reason, error }) => {
        return [
          shortId(eventId),
          kind,
          `${handler}/${handlerKey}`,
          clock(since),
          `${reason}: ${cut(error, ERROR_WIDTH)}`,
        ];
      }),
    ];
    const columns = ['id', 'kind', 'of', 'since', 'reason'].map((title) => ({ title }));
    if (rows.length > 0) for (const line of table(columns, rows)) io.out(line);
    const waiting = `${plural(messages.length, 'unreadable message')} and ${plural(letters.length, 'event')} waiting for an operator`;
    io.err(`The ${view.run.runId}: ${waiting}.`);
  });
}

/** Shows one message as it came, or one event that was given up. */
export async function showClusterLetter(io: Io, id: string, options: Options): Promise<void> {
  await withCluster(io, options, async (view) => {
    if (!NAME.test(id)) return showEvent(io, view, id, options);
    const letter = await withGroup(view, id, async (letters, offset) => letters.show(offset));
    if (!letter.found) throw new CommandFailed(`Group ${letter.group} has no dead letter ${letter.offset} (any more).`);
    const shown = busLetter(letter.group, letter.found);
    io.out(JSON.stringify(shown, null, options.json ? undefined : 2));
  });
}

/** Puts a message back on the topic that it came from, byte for byte; or has an event delivered again, or a key go on. */
export async function replayClusterLetter(io: Io, id: string, options: Options & { wait?: string }): Promise<void> {
  const patience = patienceOf(options.wait, io.signal);
  await withCluster(io, options, async (view) => {
    if (!NAME.test(id)) {
      const letter = findLetter(await readLetters(view), id, options.handler);
      const { eventId, message } = await replayInCluster(view, letter, patience);
      if (options.json) io.out(JSON.stringify({ run: view.run.runId, letter, eventId, message }));
      else io.out(message);
      return;
    }
    const { found } = await withGroup(view, id, (letters, offset) => letters.replay(offset));
    const { topic } = found.origin;
    if (options.json) io.out(JSON.stringify({ run: view.run.runId, name: id, replayedTo: topic }));
    else
      io.out(
        `${id} was put on ${topic} again. Every group that reads ${topic} gets it; one that cannot read it buries it anew.`,
      );
  });
}

async function showEvent(io: Io, view: ClusterView, id: string, options: Options): Promise<void> {
  const letter = findLetter(await readLetters(view), id, options.handler);
  const [row] = (await view.events.query({ eventId: letter.eventId, limit: 1 })).rows;
  const whole = { run: view.run.runId, ...letter, event: row?.event ?? null };
  io.out(JSON.stringify(whole, null, options.json ? undefined : 2));
}

async function readAll({ config }: ClusterView): Promise<BusLetter[]> {
  const found: BusLetter[] = [];
  // One after the other: each reads as a member of a group of its own, which costs the brokers more than the reading.
  for (const group of groupNames(config)) {
    const letters = new DeadLetters({ settings: config.kafka, groupId: group });
    try {
      found.push(...(await letters.list()).map((letter) => busLetter(group, letter)));
    } finally {
      await letters.stop();
    }
  }
  return found;
}

async function withGroup<T>(
  { config }: ClusterView,
  id: string,
  work: (letters: DeadLetters, offset: number) => Promise<T>,
): Promise<{ group: string; offset: number; found: T }> {
  const [, group = '', digits = ''] = NAME.exec(id) ?? [];
  const known = groupNames(config);
  if (!known.includes(group)) throw new UsageError(`There is no group "${group}". Groups: ${known.join(', ')}.`);
  const letters = new DeadLetters({ settings: config.kafka, groupId: group });
  try {
    return { group, offset: Number(digits), found: await work(letters, Number(digits)) };
  } finally {
    await letters.stop();
  }
}

function busLetter(group: string, { value, ...letter }: BuriedMessage): BusLetter {
  const text = value.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(value);
  return {
    name: `${group}/${letter.offset}`,
    group,
    ...letter,
    value: isText ? text : `base64:${value.toString('base64')}`,
  };
}
