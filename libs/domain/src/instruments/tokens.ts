/** Symbols that venues and sources write differently from everybody else. */
const ALIASES: Readonly<Record<string, string>> = { XBT: 'BTC', XDG: 'DOGE' };

/** 1000PEPE, 1000000MOG, 1MBABYDOGE (Binance) and kPEPE (HyperLiquid) are units of many coins of one token. */
const UNITS = /^(?:10{3,}|1M(?=BABYDOGE$)|k(?=[A-Z]))(?=[A-Z])/;

/** The token that a venue's base asset belongs to. Routing only: the price of 1000PEPE is not the price of PEPE. */
export function tokenOf(base: string): string {
  const unit = base.replace(UNITS, '');
  return ALIASES[unit] ?? unit;
}
