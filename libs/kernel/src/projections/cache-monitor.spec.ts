import { ManualClock } from '../testing/manual-clock';
import { CacheMonitor } from './cache-monitor';

describe('CacheMonitor', () => {
  const begin = () => {
    const clock = new ManualClock(0);
    const changes: [boolean, number][] = [];
    const onChange = (isUp: boolean): void => void changes.push([isUp, clock.now()]);
    return { clock, changes, monitor: new CacheMonitor({ clock, downAfterMs: 1_000, upAfterMs: 3_000, onChange }) };
  };

  it('is down until the cache was up once, and up at once then', () => {
    const { clock, changes, monitor } = begin();
    expect(monitor.isCacheUp).toBe(false);
    monitor.report('catching-up', '');
    clock.advance(500);
    monitor.report('up', '');
    expect(monitor.isCacheUp).toBe(true);
    clock.advance(10_000);
    expect(changes).toEqual([[true, 500]]);
  });

  it('says so when the cache never came up', () => {
    const { clock, changes, monitor } = begin();
    monitor.report('down', '');
    clock.advance(5_000);
    expect(changes).toEqual([[false, 1_000]]);
  });

  it('overlooks a quick failover', () => {
    const { clock, changes, monitor } = begin();
    monitor.report('up', '');
    monitor.report('down', '');
    clock.advance(700);
    monitor.report('catching-up', '');
    clock.advance(200);
    monitor.report('up', '');
    clock.advance(10_000);
    expect(changes).toEqual([[true, 0]]);
  });

  it('is down after a while without the cache, and up only after a while with it', () => {
    const { clock, changes, monitor } = begin();
    monitor.report('up', '');
    monitor.report('down', '');
    clock.advance(800);
    monitor.report('catching-up', '');
    clock.advance(300);
    expect(monitor.isCacheUp).toBe(false);
    monitor.report('up', '');
    clock.advance(2_900);
    monitor.report('down', '');
    clock.advance(200);
    monitor.report('up', '');
    clock.advance(2_999);
    expect(monitor.isCacheUp).toBe(false);
    clock.advance(1);
    expect(monitor.isCacheUp).toBe(true);
    expect(changes).toEqual([
      [true, 0],
      [false, 1_000],
      [true, 7_200],
    ]);
  });
});
