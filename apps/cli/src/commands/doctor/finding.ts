/** What a check found. A `note` is worth knowing and stops nothing. */
export interface Finding {
  check: string;
  status: 'ok' | 'note' | 'wrong';
  detail: string;
  /** What to do about it. */
  mend?: string;
}

export const ok = (check: string, detail: string): Finding => ({ check, status: 'ok', detail });
export const note = (check: string, detail: string, mend?: string): Finding => ({
  check,
  status: 'note',
  detail,
  ...(mend !== undefined && { mend }),
});
export const wrong = (check: string, detail: string, mend: string): Finding => ({
  check,
  status: 'wrong',
  detail,
  mend,
});

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
