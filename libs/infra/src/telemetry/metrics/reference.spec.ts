import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricsReference } from './reference';

describe('the page of metrics', () => {
  it('[NFM-2] in docs/metrics-exported.md is up to date (node scripts/metrics-reference.mjs writes it)', () => {
    const kept = readFileSync(join(__dirname, '../../../../../docs/metrics-exported.md'), 'utf8');
    expect(kept).toBe(metricsReference());
  });
});
