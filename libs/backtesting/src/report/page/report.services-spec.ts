import axe from 'axe-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { oneDay, syntheticReportInput } from '../../testing/synthetic-report';
import { buildReport } from '../build-report';
import { renderReportHtml } from '../html/page';
import { readPageAssets } from '../page-assets';
import type { ReportInput } from '../report-input';

const FILLS = 12_328;
/** Pixels of a colour (not grey, as grid and labels are) that a drawn chart has at the least. */
const COLOURED_AT_LEAST = 60;

let folder: string;
let browser: Browser;
let whole: string;
let pages: { page: Page; complaints: string[]; requests: string[] }[] = [];

function write(name: string, fillCount: number, change: (input: ReportInput) => void = () => undefined): string {
  const input = syntheticReportInput(fillCount);
  change(input);
  const path = join(folder, name);
  writeFileSync(path, renderReportHtml(buildReport(input), readPageAssets()));
  return pathToFileURL(path).href;
}

/** Opens a report from disk, in a browser that is offline, and notes whatever the page complains about or asks for. */
async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, ...options });
  const page = await context.newPage();
  const noted = { page, complaints: [] as string[], requests: [] as string[] };
  pages.push(noted);
  page.on('console', (message) => noted.complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => noted.complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    noted.complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => noted.requests.push(request.url()));
  await page.goto(url, { waitUntil: 'commit', timeout: 60_000 });
  await page.waitForSelector('html[data-ready="true"]', { timeout: 60_000 });
  return page;
}

const texts = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();
const TRADES = '[data-table="trades"]';
const rows = `${TRADES} tbody tr:not(.detail)`;
const column = (n: number) => `${rows} > td:nth-child(${n})`;
const SIDE = 4;
const NET = 8;
const amount = (text: string): number => Number(text.replaceAll(',', '').replace('−', '-'));

/** Coloured pixels of every chart's canvas. */
const inked = (page: Page): Promise<{ kind: string; pixels: number }[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[data-chart]')].map((host) => {
      const canvas = host.querySelector('canvas');
      const context = canvas?.getContext('2d');
      if (!canvas || !context) return { kind: host.dataset.chart ?? '', pixels: 0 };
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let pixels = 0;
      for (let i = 0; i < data.length; i += 4) {
        const [r = 0, g = 0, b = 0, a = 0] = data.subarray(i, i + 4);
        if (a > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 60) pixels += 1;
      }
      return { kind: host.dataset.chart ?? '', pixels };
    }),
  );

/** Every region of a table that is in sight: whether a part of it is, too, only after scrolling, and what says so. */
const tablesOf = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.scroll')]
      .filter((region) => region.checkVisibility({ contentVisibilityAuto: true }))
      .map((region) => {
        const { right } = region.getBoundingClientRect();
        const ends = [...region.querySelectorAll('th, td, .badge')].map((cell) => cell.getBoundingClientRect().right);
        return {
          name: region.getAttribute('aria-label'),
          isCut: region.scrollWidth > region.clientWidth || Math.max(...ends) > right + 0.5,
          isFocusable: region.tabIndex === 0,
          hint: getComputedStyle(region, '::before').content,
        };
      }),
  );

beforeAll(async () => {
  const executablePath = process.env.MOON_CHROMIUM;
  if (executablePath === undefined)
    throw new Error('MOON_CHROMIUM is not set. Run these tests with: npm run test:services');
  folder = mkdtempSync(join(tmpdir(), 'moon-report-'));
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  whole = write('whole.html', FILLS);
});

afterAll(async () => {
  await browser?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  const noted = pages;
  pages = [];
  for (const { page } of noted) await page.context().close();
  expect(noted.flatMap(({ complaints }) => complaints)).toEqual([]);
  expect(noted.flatMap(({ requests }) => requests.filter((url) => !url.startsWith('file:')))).toEqual([]);
});

describe('the report in a browser', () => {
  it('[US3-6] opens from disk and draws every chart, in light and in dark', async () => {
    const kinds = [
      'equity',
      'underwater',
      'distribution',
      'rolling-sharpe',
      'exposure',
      'weeks',
      'candles',
      'decisions',
    ];
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(whole, { colorScheme });
      const drawn = await inked(page);

      expect(drawn.map(({ kind }) => kind)).toEqual(kinds);
      expect(drawn.filter(({ pixels }) => pixels < COLOURED_AT_LEAST)).toEqual([]);
    }
  });

  it('[US3-6] says the same figures as the JSON', async () => {
    const { metrics } = buildReport(syntheticReportInput(FILLS)).portfolios[0]!;
    const page = await open(whole);
    const cards = new Map(
      await page.evaluate(() =>
        [...document.querySelectorAll('.cards > div')].map((card): [string, string] => [
          card.querySelector('dt')?.textContent?.trim() ?? '',
          card.querySelector('dd')?.textContent?.trim() ?? '',
        ]),
      ),
    );

    expect(amount(cards.get('Sharpe') ?? '')).toBeCloseTo(metrics.sharpe!, 3);
    expect(amount((cards.get('Maximum drawdown') ?? '').replace(' %', ''))).toBeCloseTo(metrics.maxDrawdown! * 100, 2);
    expect(amount((cards.get('Final equity') ?? '').replace(' USDT', ''))).toBe(Number(metrics.finalEquity));
    expect(amount(cards.get('Closed trades') ?? '')).toBe(FILLS - 1);
  });

  it('[US3-6] sorts, filters and pages twelve thousand trades by keyboard', async () => {
    const page = await open(whole);
    const best = Number(buildReport(syntheticReportInput(FILLS)).portfolios[0]!.metrics.bestTrade);
    const sort = page.locator(`${TRADES} th button`, { hasText: 'Net P&L' });

    await sort.focus();
    await page.keyboard.press('Enter');
    expect(await page.locator(`${TRADES} th[aria-sort="descending"]`).innerText()).toContain('Net P&L');
    const sorted = (await texts(page, column(NET))).map(amount);
    expect(sorted[0]).toBe(best);
    expect(sorted).toEqual([...sorted].sort((a, b) => b - a));

    await page.locator(`${TRADES} select`).first().selectOption({ label: 'short' });
    expect(new Set(await texts(page, column(SIDE)))).toEqual(new Set(['short']));
    expect(await page.locator(`${TRADES} [role="status"]`).innerText()).toContain('filtered from 12,327');

    await page.locator(`${TRADES} button[aria-label="Last page"]`).focus();
    await page.keyboard.press('Enter');
    const last = (await texts(page, column(NET))).map(amount);
    expect(Math.max(...last)).toBeLessThanOrEqual(Math.min(...sorted));
  });

  it('[US3-6] links a trade to its decision, order and fills, and names the command for the whole chain', async () => {
    const { run, portfolios } = syntheticReportInput(FILLS);
    const { trades } = portfolios[0]!;
    const trade = trades[700]!;
    const page = await open(`${whole}#trade-${trade.id}`);
    const line = page.locator(`[id="trade-${trade.id}"]`);
    const detail = line.locator('xpath=following-sibling::tr[1]');

    expect(await detail.locator('code').innerText()).toBe(`moon trace ${trade.id} --run backtest-${run.id}`);
    await detail.locator(`a[href="#decision-${trade.entry.decisionId}"]`).click();
    expect(await page.locator(`[id="decision-${trade.entry.decisionId}"]`).isVisible()).toBe(true);
    await detail.locator(`a[href="#order-${trade.exit.orderId}"]`).click();
    expect(await page.locator(`[id="fill-${trade.exit.eventId}"]`).isVisible()).toBe(true);
    await detail.locator(`a[href="#fill-${trade.entry.eventId}"]`).click();
    expect(await page.locator(`[id="fill-${trade.entry.eventId}"]`).isVisible()).toBe(true);
    await detail.getByText('Show on the candles').click();
    const read = page.locator('[data-chart="candles"] .readout');
    await page.keyboard.press('ArrowRight');
    expect(await read.innerText()).toContain(new Date(trade.openedAt).toISOString().slice(0, 7));
  });

  it('[US3-6] zooms by button and key, charts of the run together', async () => {
    const page = await open(whole);
    const before = await page.locator('[data-chart="underwater"] canvas').screenshot();
    await page.locator('[data-chart="equity"] .plot').focus();
    await page.keyboard.press('+');
    const after = await page.locator('[data-chart="underwater"] canvas').screenshot();

    expect(after.equals(before)).toBe(false);
  });

  it('[US3-6] changes its theme by the switch, charts included', async () => {
    const page = await open(whole, { colorScheme: 'light' });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [lightPage, lightChart] = [
      await background(),
      await page.locator('[data-chart="equity"] canvas').screenshot(),
    ];
    await page.locator('#theme').focus();
    await page.keyboard.press('Enter');

    expect(await background()).not.toBe(lightPage);
    expect((await page.locator('[data-chart="equity"] canvas').screenshot()).equals(lightChart)).toBe(false);
  });

  it('[US3-6] fits a phone: nothing to scroll sideways, every chart drawn', async () => {
    const page = await open(whole, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    const { scrollWidth } = await page.evaluate(() => ({ scrollWidth: document.documentElement.scrollWidth }));

    expect(scrollWidth).toBeLessThanOrEqual(390);
    expect((await inked(page)).filter(({ pixels }) => pixels < COLOURED_AT_LEAST)).toEqual([]);
    await page.locator('.cards .term', { hasText: 'Sharpe' }).tap();
    expect(await page.locator('.tip').innerText()).toContain('√365');
  });

  it('[US3-6] shows every table whole on a phone, and says so where one has to be scrolled', async () => {
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    const page = await open(whole, phone);
    await page.evaluate(() => {
      for (const folded of document.querySelectorAll('details')) folded.open = true;
      for (const host of document.querySelectorAll('[data-table]')) host.querySelector<HTMLElement>('.fold')?.click();
    });
    expect((await tablesOf(page)).length).toBeGreaterThan(15);
    expect((await tablesOf(page)).filter(({ isCut }) => isCut)).toEqual([]);
    expect(await page.locator('.heat td').last().isVisible()).toBe(true);

    const narrow = await open(write('few.html', 40), { ...phone, viewport: { width: 200, height: 600 } });
    await narrow.waitForSelector('.scroll[data-scrolls]');
    const cut = (await tablesOf(narrow)).filter(({ isCut }) => isCut);
    expect(cut.length).toBeGreaterThan(0);
    expect(cut.filter(({ isFocusable, hint }) => !isFocusable || !hint.includes('Scroll sideways'))).toEqual([]);
  });

  it('[US3-6] draws a run of one day, with a sentence where a line would take more days', async () => {
    const page = await open(write('day.html', 4_000, oneDay));

    expect(await page.locator('#returns').innerText()).toContain('and this run has 1 day.');
    expect((await inked(page)).map(({ kind }) => kind)).not.toContain('rolling-sharpe');
    const search = await page.locator('.search').evaluate((input: HTMLInputElement) => {
      const style = getComputedStyle(input);
      const context = document.createElement('canvas').getContext('2d')!;
      context.font = style.font;
      const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      return { room, wanted: context.measureText(input.placeholder).width };
    });
    expect(search.room).toBeGreaterThan(search.wanted);
  });

  it('[US3-6] is printed light and within the page, whatever the screen shows', async () => {
    const page = await open(whole, { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    await page.waitForSelector('html[data-theme="light"]');
    const widest = await page.evaluate(() =>
      Math.max(...[...document.querySelectorAll('.uplot')].map((plot) => plot.getBoundingClientRect().width)),
    );

    expect(widest).toBeLessThanOrEqual(703);
    expect((await page.pdf({ preferCSSPageSize: true })).length).toBeGreaterThan(50_000);
  });

  it('[US3-6] shows a definition on focus, and closes it by Escape', async () => {
    const page = await open(whole);
    await page.locator('.cards .term', { hasText: 'Sortino' }).focus();
    expect(await page.locator('.tip').innerText()).toContain('downside risk');
    await page.keyboard.press('Escape');
    expect(await page.locator('.tip').isVisible()).toBe(false);
  });

  it('[US3-6] is accessible by WCAG 2.1 AA in both themes, as far as axe can tell', async () => {
    const small = write('small.html', 200);
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(small, { colorScheme });
      await page.locator(`${TRADES} .fold`).first().click();
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run({
          runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] },
        }),
      );
      const found = violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .slice(0, 3)
            .map(({ html }) => html)
            .join(' | ')}`,
      );

      expect(found).toEqual([]);
    }
  });

  it('[US3-6] runs no text of a run, and shows that a result is partial', async () => {
    const hostile = '</script><script>alert(1)</script><img src="https://example.invalid/x" onerror="alert(2)">';
    const url = write('hostile.html', 60, ({ run, portfolios, decisions }) => {
      Object.assign(run, { name: hostile, status: 'partial', statusReason: hostile });
      portfolios[0]!.trades[0]!.instrument = hostile;
      portfolios[0]!.trades[0]!.id = hostile;
      decisions.kept[0]!.reason = hostile;
    });
    const page = await open(url);
    await page.locator(`${TRADES} .fold`).first().click();

    expect(await page.locator('h1').innerText()).toBe(hostile);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('.partial').isVisible()).toBe(true);
    expect(await page.title()).toContain('PARTIAL');
  });

  it('[US3-6] shows one portfolio at a time, and a run that traded nothing', async () => {
    const url = write('several.html', 40, ({ portfolios, candles, decisions }) => {
      const [main] = portfolios;
      portfolios.push({ ...main!, portfolio: 'second', trades: [], fills: [], open: [] });
      candles.length = 0;
      Object.assign(decisions, { approved: 0, failed: 0, kept: [], agents: [], failedByReason: {} });
    });
    const page = await open(url);
    await page.locator('#portfolio').selectOption({ label: 'second' });

    expect(await page.locator('#summary [data-panel="0"]').isVisible()).toBe(false);
    expect(await page.locator('#summary [data-panel="1"]').innerText()).toContain('Portfolio second');
    expect(await page.locator('[data-table="trades"][data-portfolio="1"] .empty').isVisible()).toBe(true);
    await expect(page.locator('[data-portfolio="1"][data-chart="equity"] canvas').count()).resolves.toBe(1);
  });
});
