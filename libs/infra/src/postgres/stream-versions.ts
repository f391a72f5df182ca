import { ConcurrencyConflict } from '@moon/kernel';
import type { LogRow } from '@moon/kernel';

/** What the append functions answer with when a stream is not at its expected version. */
const STREAM_CONFLICT = 'MN409';
/** Serialisation failure and deadlock: nothing was written, the same again is right. */
const TRY_AGAIN = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

interface StreamVersion {
  stream: string;
  expected: number;
  version: number;
}

interface Conflict {
  stream: string;
  expected: number;
  actual: number;
}

export const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code;

/** The streams of a batch, with the version that it expects of each and the one it leaves. */
export class StreamVersions {
  private readonly versions = new Map<string, StreamVersion>();

  /** @throws RangeError for a version that does not follow the one before it in the batch */
  add({ version, seq }: LogRow, streamId: string): void {
    const known = this.versions.get(streamId);
    if (version === undefined || version < 1 || (known && version !== known.version + 1)) {
      throw new RangeError(
        `Row ${seq}: version ${version} of stream ${streamId} does not follow ${known?.version ?? 'any'}.`,
      );
    }
    if (known) known.version = version;
    else this.versions.set(streamId, { stream: streamId, expected: version - 1, version });
  }

  /** As the append functions take it: streams, expected versions, new versions. */
  get parameters(): [streams: string[], expected: number[], versions: number[]] {
    // In one order everywhere, so that two writers cannot wait for each other.
    const sorted = [...this.versions.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
    return [
      sorted.map(({ stream }) => stream),
      sorted.map(({ expected }) => expected),
      sorted.map(({ version }) => version),
    ];
  }
}

/** Appends, again where two writers were in each other's way. @throws ConcurrencyConflict */
export async function appended<T>(append: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await append();
    } catch (error) {
      if (codeOf(error) === STREAM_CONFLICT) throw conflictFrom(error);
      if (attempt === ATTEMPTS || !TRY_AGAIN.has(codeOf(error) ?? '')) throw error;
    }
  }
}

function conflictFrom(error: unknown): ConcurrencyConflict {
  const [{ stream, expected, actual }] = JSON.parse((error as { detail: string }).detail) as [Conflict];
  return new ConcurrencyConflict(stream, expected, actual);
}
