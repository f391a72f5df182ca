import { ORIGIN_REASONS, type EmbeddedReport, type OriginColumns } from '../embedded';
import { decimal, duration, minute, percent, price, signed, words } from '../format';
import { choice, copyable, h, one } from './dom';
import { PagedTable } from './table';
import type { TradeList } from './trades';
import { running, type Unpacked } from './unpack';

/** What the tables need to point at each other and at the candles. */
export interface Links {
  report: Unpacked;
  /** An anchor to an event within the report; plain text where the report does not hold it. */
  to: (kind: 'decision' | 'order' | 'fill' | 'trade', id: string | null) => Node | string;
  /** A button that shows the trade on the candles; undefined where its instrument has none. */
  onChart: (trade: number) => Node | undefined;
}

const text = (id: string | null): string => id ?? '—';
const gainOrLoss = (value: number, shown: string): Node =>
  h('span', { class: value > 0 ? 'gain' : value < 0 ? 'loss' : '' }, shown);
const traced = (report: Unpacked, id: string): Node =>
  copyable(report.traceCommand(id), `npx ${report.traceCommand(id)}`);
const definition = (term: string, ...what: (Node | string)[]): Node =>
  h('div', {}, h('dt', {}, term), h('dd', {}, ...what));

export function tradesTable(index: number, trades: TradeList, links: Links): PagedTable {
  const { columns } = trades;
  const { report } = links;
  const reason = (origin: OriginColumns, trade: number) => words(ORIGIN_REASONS[origin.reason[trade]!] ?? 'other');
  const net = (trade: number) => columns.netPnl[trade]!;
  const instrument = (trade: number) => report.instrument(columns.instrument[trade]!);
  const isOfOne = new Set(columns.instrument).size <= 1;
  return new PagedTable({
    host: one(`[data-table="trades"][data-portfolio="${index}"]`),
    caption: 'Closed trades',
    count: trades.count,
    anchor: (trade) => `trade-${text(report.id(columns.id[trade]!))}`,
    empty: 'No trade matches. Clear the filters to see all of them.',
    columns: [
      { label: 'Opened, UTC', value: (t) => trades.openedAt[t]!, cell: (t) => minute(trades.openedAt[t]!) },
      {
        label: 'Closed, UTC',
        wide: true,
        value: (t) => trades.closedAt[t]!,
        cell: (t) => minute(trades.closedAt[t]!),
      },
      ...(isOfOne ? [] : [{ label: 'Instrument', wide: true, value: instrument, cell: instrument }]),
      { label: 'Side', value: (t) => columns.isLong[t]!, cell: (t) => (columns.isLong[t] === 1 ? 'long' : 'short') },
      {
        label: 'Quantity',
        numeric: true,
        wide: true,
        value: (t) => columns.quantity[t]!,
        cell: (t) => String(columns.quantity[t]),
      },
      {
        label: 'Entry',
        numeric: true,
        wide: true,
        value: (t) => columns.entryPrice[t]!,
        cell: (t) => price(columns.entryPrice[t]!),
      },
      {
        label: 'Exit',
        numeric: true,
        wide: true,
        value: (t) => columns.exitPrice[t]!,
        cell: (t) => price(columns.exitPrice[t]!),
      },
      {
        label: 'Net P&L',
        title: 'After fees and funding',
        numeric: true,
        value: net,
        cell: (t) => gainOrLoss(net(t), signed(net(t))),
      },
      {
        label: 'Fees',
        numeric: true,
        wide: true,
        value: (t) => columns.fees[t]!,
        cell: (t) => decimal(columns.fees[t]!),
      },
      { label: 'Held', numeric: true, value: (t) => columns.heldMs[t]!, cell: (t) => duration(columns.heldMs[t]!) },
      { label: 'Exit by', wide: true, value: (t) => reason(columns.exit, t), cell: (t) => reason(columns.exit, t) },
    ],
    filters: (changed) => tradeFilters(trades, report, changed),
    detail: (trade) => tradeDetail(trade, trades, links),
  });
}

function tradeFilters(trades: TradeList, report: Unpacked, changed: () => void) {
  const { columns } = trades;
  const wanted = { text: '', side: '', result: '', instrument: '' };
  const set = (key: keyof typeof wanted) => (value: string) => {
    wanted[key] = value;
    changed();
  };
  const used = [...new Set(columns.instrument)].map((place) => [String(place), report.instrument(place)] as const);
  const search = h('input', { type: 'search', placeholder: '2022-03, or an event id', class: 'search' });
  search.addEventListener('input', () => set('text')(search.value.trim().toLowerCase()));
  const controls: HTMLElement[] = [
    h('label', { class: 'choice' }, h('span', {}, 'Search'), search),
    choice(
      'Side',
      [
        ['', 'long and short'],
        ['1', 'long'],
        ['0', 'short'],
      ],
      set('side'),
    ),
    choice(
      'Result',
      [
        ['', 'all'],
        ['1', 'wins'],
        ['0', 'losses'],
      ],
      set('result'),
    ),
  ];
  if (used.length > 1) controls.push(choice('Instrument', [['', 'all'], ...used], set('instrument')));
  const matches = (trade: number): boolean => {
    if (/^[\d :-]*$/.test(wanted.text) && minute(trades.openedAt[trade]!).startsWith(wanted.text)) return true;
    const ids = [columns.id, columns.entry.event, columns.exit.event, columns.entry.order, columns.exit.order];
    return ids.some((places) => report.id(places[trade]!)?.includes(wanted.text));
  };
  return {
    controls,
    passes: (trade: number) =>
      (wanted.side === '' || columns.isLong[trade] === Number(wanted.side)) &&
      (wanted.result === '' || columns.netPnl[trade]! > 0 === (wanted.result === '1')) &&
      (wanted.instrument === '' || columns.instrument[trade] === Number(wanted.instrument)) &&
      (wanted.text === '' || matches(trade)),
    clear: () => {
      for (const key of Object.keys(wanted) as (keyof typeof wanted)[]) wanted[key] = '';
      search.value = '';
      for (const control of controls) for (const select of control.querySelectorAll('select')) select.value = '';
    },
  };
}

/** The chain of a trade: decision → order → fills, in and out, each an anchor, and the command that prints it whole. */
function tradeDetail(trade: number, trades: TradeList, { report, to, onChart }: Links): Node {
  const { columns, portfolio } = trades;
  const id = text(report.id(columns.id[trade]!));
  const amount = (value: number) => `${signed(value)} ${portfolio.asset}`;
  const fills = trades.fillsOf(trade).flatMap((fill) => [to('fill', report.id(portfolio.fills.id[fill]!)), ' ']);
  const chain = (name: string, origin: OriginColumns): Node[] => {
    const agents = report.agents(origin, trade).map(({ agent, share }) => `${agent} ${percent(share, 1)}`);
    return [
      definition(
        `${name}: by`,
        words(ORIGIN_REASONS[origin.reason[trade]!] ?? 'other'),
        agents.length > 0 ? `, ${agents.join(', ')}` : '',
      ),
      definition(`${name}: decision`, to('decision', report.id(origin.decision[trade]!))),
      definition(`${name}: order`, to('order', report.id(origin.order[trade]!))),
    ];
  };
  const chart = onChart(trade);
  return h(
    'div',
    { class: 'chain' },
    h('p', {}, 'The whole chain, tick to fill: ', traced(report, id)),
    h(
      'dl',
      { class: 'facts' },
      ...chain('Entry', columns.entry),
      ...chain('Exit', columns.exit),
      definition('Fills', ...(fills.length > 0 ? fills : ['—'])),
      definition('Closed', minute(trades.closedAt[trade]!)),
      definition('Instrument', report.instrument(columns.instrument[trade]!)),
      definition('Quantity', String(columns.quantity[trade])),
      definition('Entry and exit price', `${price(columns.entryPrice[trade]!)} → ${price(columns.exitPrice[trade]!)}`),
      definition('Gross P&L', amount(columns.grossPnl[trade]!)),
      definition('Fees', amount(-columns.fees[trade]!)),
      definition('Funding', amount(columns.funding[trade]!)),
      definition('Worst and best while held', `${amount(columns.mae[trade]!)}, ${amount(columns.mfe[trade]!)}`),
    ),
    chart,
  );
}

export function fillsTable(index: number, trades: TradeList, { report, to }: Links): PagedTable {
  const { fills } = trades.portfolio;
  return new PagedTable({
    host: one(`[data-table="fills"][data-portfolio="${index}"]`),
    caption: 'Fills',
    count: fills.id.length,
    anchor: (fill) => `fill-${text(report.id(fills.id[fill]!))}`,
    empty: 'This portfolio had no fill.',
    columns: [
      { label: 'Time (UTC)', value: (f) => trades.fillAt[f]!, cell: (f) => minute(trades.fillAt[f]!) },
      {
        label: 'Instrument',
        wide: true,
        value: (f) => report.instrument(fills.instrument[f]!),
        cell: (f) => report.instrument(fills.instrument[f]!),
      },
      { label: 'Side', value: (f) => fills.isBuy[f]!, cell: (f) => (fills.isBuy[f] === 1 ? 'buy' : 'sell') },
      { label: 'Quantity', numeric: true, value: (f) => fills.quantity[f]!, cell: (f) => String(fills.quantity[f]) },
      { label: 'Price', numeric: true, value: (f) => fills.price[f]!, cell: (f) => price(fills.price[f]!) },
      { label: 'Fee', numeric: true, wide: true, value: (f) => fills.fee[f]!, cell: (f) => decimal(fills.fee[f]!, 4) },
      {
        label: 'Liquidity',
        wide: true,
        value: (f) => fills.isMaker[f]!,
        cell: (f) => (fills.isMaker[f] === 1 ? 'maker' : 'taker'),
      },
    ],
    detail: (fill) => {
      const id = text(report.id(fills.id[fill]!));
      const trade = trades.ofFill(fill);
      return h(
        'div',
        { class: 'chain' },
        h('p', {}, 'The whole chain, tick to fill: ', traced(report, id)),
        h(
          'dl',
          { class: 'facts' },
          definition('Event', id),
          definition('Order', text(report.id(fills.order[fill]!))),
          definition('Trade', trade === null ? 'still open' : to('trade', report.id(trades.columns.id[trade]!))),
          definition('Stamp of the price', minute(trades.fillAt[fill]! - fills.priceAgeMs[fill]!)),
        ),
      );
    },
  });
}

export function decisionsTable({ decisions }: EmbeddedReport, { report }: Links): PagedTable {
  const at = running(decisions.at);
  const action = (code: number) => (code === 1 ? 'BUY' : code === 0 ? 'SELL' : '—');
  const outcome = (d: number) => (decisions.isApproved[d] === 1 ? 'approved' : 'failed');
  let wanted = '';
  const number = (value: number | null | undefined, digits = 1) => (value == null ? '—' : decimal(value, digits));
  return new PagedTable({
    host: one('[data-table="decisions"]'),
    caption: 'Consensus decisions',
    count: decisions.id.length,
    anchor: (d) => `decision-${text(report.id(decisions.id[d]!))}`,
    empty: 'No decision to show.',
    columns: [
      { label: 'Time (UTC)', value: (d) => at[d]!, cell: (d) => minute(at[d]!) },
      { label: 'Token', value: (d) => decisions.token[d]!, cell: (d) => decisions.token[d]! },
      { label: 'Outcome', value: outcome, cell: (d) => h('span', { class: `badge ${outcome(d)}` }, outcome(d)) },
      { label: 'Action', wide: true, value: (d) => decisions.isBuy[d]!, cell: (d) => action(decisions.isBuy[d]!) },
      {
        label: 'Score',
        numeric: true,
        value: (d) => decisions.score[d] ?? -1,
        cell: (d) => number(decisions.score[d]),
      },
      {
        label: 'Threshold',
        numeric: true,
        wide: true,
        value: (d) => decisions.threshold[d]!,
        cell: (d) => number(decisions.threshold[d]),
      },
      { label: 'Because', wide: true, value: (d) => decisions.reason[d]!, cell: (d) => words(decisions.reason[d]!) },
    ],
    filters: (changed) => {
      const options = [
        ['', 'all'],
        ['approved', 'approved'],
        ['failed', 'failed'],
      ] as const;
      const control = choice('Outcome', options, (value) => {
        wanted = value;
        changed();
      });
      const clear = () => {
        wanted = '';
        control.querySelector('select')!.value = '';
      };
      return { controls: [control], passes: (d: number) => wanted === '' || outcome(d) === wanted, clear };
    },
    detail: (d) => {
      const id = text(report.id(decisions.id[d]!));
      const heads = ['Agent', 'Vote', 'Confidence', 'Score', 'Weight', 'Counted'].map((name) =>
        h('th', { scope: 'col' }, name),
      );
      const rows = report
        .votes(decisions, d)
        .map((vote) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, vote.agent),
            h('td', {}, vote.action === -1 ? 'HOLD' : action(vote.action)),
            h('td', { class: 'number' }, decimal(vote.confidence)),
            h('td', { class: 'number' }, decimal(vote.score, 1)),
            h('td', { class: 'number' }, decimal(vote.weight)),
            h('td', {}, vote.counted ? 'yes' : 'no'),
          ),
        );
      return h(
        'div',
        { class: 'chain' },
        h('p', {}, `${action(decisions.isBuy[d]!)}, ${words(decisions.reason[d]!)}. `, traced(report, id)),
        h('table', { class: 'votes' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows)),
      );
    },
  });
}
