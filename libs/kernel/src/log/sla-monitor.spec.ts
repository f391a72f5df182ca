import { SlaMonitor } from './sla-monitor';

function monitor(): { reported: number[]; sla: SlaMonitor; tick: (ms: number) => void } {
  const reported: number[] = [];
  let now = 0;
  const sla = new SlaMonitor({
    boundMs: 10,
    samples: 100,
    quietMs: 60_000,
    onViolation: (p99) => reported.push(p99),
    wall: () => now,
  });
  return { reported, sla, tick: (ms) => void (now += ms) };
}

describe('SlaMonitor', () => {
  it('reports the 99th percentile of a block when it is above the bound, and says nothing of single outliers', () => {
    const { reported, sla } = monitor();
    for (let index = 0; index < 100; index += 1) sla.observe(index === 50 ? 500 : 3);
    expect(reported).toEqual([]);
    for (let index = 0; index < 100; index += 1) sla.observe(index % 20 === 0 ? 25 : 3);
    expect(reported).toEqual([25]);
  });

  it('reports once in a while, however long the level is missed', () => {
    const { reported, sla, tick } = monitor();
    for (let index = 0; index < 1_000; index += 1) sla.observe(40);
    expect(reported).toEqual([40]);
    tick(60_000);
    for (let index = 0; index < 100; index += 1) sla.observe(30);
    expect(reported).toEqual([40, 30]);
  });
});
