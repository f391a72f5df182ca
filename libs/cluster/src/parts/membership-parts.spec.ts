import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { createLogger, kafkaSchema, KafkaConsumer, loadConfig } from '@moon/infra';
import type { Part, PartContext } from '../process';
import { FeedPart } from './feed-part';
import { ProjectionsPart } from './projections-part';
import { RecorderPart } from './recorder-part';

const REFUSED = 'not in the consumer group, of 1 shards: check its ACLs';

describe('parts that do what the brokers gave a group to', () => {
  let dataDir: string;
  let parts: Part[];
  let absence: jest.SpyInstance<string | null>;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'moon-parts-'));
    jest.spyOn(KafkaConsumer.prototype, 'start').mockResolvedValue();
    absence = jest.spyOn(KafkaConsumer.prototype, 'absence').mockReturnValue(REFUSED);
    const { kafka } = loadConfig(Type.Object({ kafka: kafkaSchema }), {});
    const connections = {
      config: { kafka, dataDir },
      logger: createLogger({ level: 'silent' }),
      metrics: { begin: () => undefined, time: () => undefined },
    };
    const context = { connections } as unknown as PartContext;
    const open = (): Promise<never> => Promise.reject(new Error('nobody was given the feed'));
    parts = [new RecorderPart(context), new ProjectionsPart(context), new FeedPart({ context, open })];
  });
  afterEach(async () => {
    for (const part of parts) await part.stop();
    jest.restoreAllMocks();
    rmSync(dataDir, { recursive: true });
  });

  it('[SYS-1] are not up in a process that the group refuses, and say why', async () => {
    for (const part of parts) await part.start();
    expect(parts.map((part) => part.isUp())).toEqual([false, false, false]);
    expect(parts.map((part) => part.problem?.())).toEqual([REFUSED, REFUSED, REFUSED]);
    absence.mockReturnValue(null);
    expect(parts.map((part) => part.isUp())).toEqual([true, true, true]);
  });
});
