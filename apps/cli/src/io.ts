/** What a command sees of the world around it; a test gives its own. */
export interface Io {
  /** A line of the result, on standard output. */
  out(line: string): void;
  /** A line about the result, on standard error. */
  err(line: string): void;
  /** Standard error when it is a terminal: for progress. */
  terminal: NodeJS.WriteStream | null;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Fires when the user wants the command to end. */
  signal: AbortSignal;
}

/** The options that every command has. */
export interface GlobalOptions {
  dataDir?: string;
  run?: string;
  json?: boolean;
  debug?: boolean;
}
