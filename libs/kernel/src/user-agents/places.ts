import { SourceMap, type SourceMapPayload } from 'node:module';
import { relative, sep } from 'node:path';

/** Where an error was thrown in the files of a module as they were written: `lib/rule.ts:12`; null when it was elsewhere. */
export type PlaceOf = (error: unknown) => string | null;

const FRAME = /^\s+at .*?\(?((?:\/|[A-Za-z]:).*):(\d+):(\d+)\)?$/;

/** The lines of compiled files in the files that they were made of. */
export class Places {
  private readonly maps = new Map<string, SourceMap>();

  /** @param root folder that files are named from */
  constructor(private readonly root: string) {}

  /** @param map source map of the compiled file, as JSON */
  add(file: string, map: string): void {
    this.maps.set(file, new SourceMap(JSON.parse(map) as SourceMapPayload));
  }

  /** The first frame of an error's stack that lies in one of the files. */
  readonly placeOf: PlaceOf = (error) => {
    const stack = (error as { stack?: unknown } | null)?.stack;
    if (typeof stack !== 'string') return null;
    for (const line of stack.split('\n')) {
      const [, file = '', row, column] = FRAME.exec(line) ?? [];
      const map = this.maps.get(file);
      if (map === undefined) continue;
      const entry = map.findEntry(Number(row) - 1, Number(column) - 1);
      const name = relative(this.root, file).split(sep).join('/');
      return 'originalLine' in entry ? `${name}:${entry.originalLine + 1}` : name;
    }
    return null;
  };
}
