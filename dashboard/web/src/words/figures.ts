// Figures with their units, in as many digits as they are worth.

const NONE = '–';

/** Decimals that leave about three significant digits. */
function decimals(value: number): number {
  const size = Math.abs(value);
  return size >= 99.95 || size === 0 ? 0 : size >= 9.995 ? 1 : 2;
}

function rounded(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Three significant digits below a thousand, whole numbers above; the same number of decimals for figures of one size. */
export function figure(value: number): string {
  return rounded(value, decimals(value));
}

/** The same without needless zeros: for the marks of an axis, and for what somebody has entered. */
export function roundFigure(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: decimals(value) });
}

/** From one figure to another, in as many decimals as the larger is worth: `88 to 105`. One, where both read the same. */
export function reach(low: number, high: number): string {
  const digits = decimals(high);
  const [from, to] = [rounded(Math.max(0, low), digits), rounded(high, digits)];
  return from === to ? to : `${from} to ${to}`;
}

export function ms(value: number | null): string {
  if (value === null) return NONE;
  return Math.abs(value) >= 9_999.5 ? `${figure(value / 1000)} s` : `${figure(value)} ms`;
}

export function mbits(value: number | null): string {
  return value === null ? NONE : `${figure(value)} Mbit/s`;
}

export function axisMs(value: number): string {
  return value >= 10_000 ? `${roundFigure(value / 1000)} s` : `${roundFigure(value)} ms`;
}

export function axisMbits(value: number): string {
  return value >= 1_000 ? `${roundFigure(value / 1000)} Gbit/s` : `${roundFigure(value)} Mbit/s`;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : value.toLocaleString('en');
}

/** A share from 0 to 1 as percent; what is not quite all never reads 100 %. */
export function percent(share: number | null): string {
  if (share === null) return NONE;
  const percent = share * 100;
  if (percent > 99 && percent < 100) return `${(Math.floor(percent * 100) / 100).toFixed(2)} %`;
  if (percent > 0 && percent < 1) return `${percent < 0.01 ? '< 0.01' : figure(percent)} %`;
  return `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`;
}

export function rate(value: number | null, unit: string): string {
  return value === null ? NONE : `${roundFigure(value)} ${unit}`;
}

/** How long, in the two largest units that are not needless. */
export function duration(milliseconds: number | null): string {
  if (milliseconds === null) return NONE;
  const size = Math.max(0, milliseconds);
  if (size < 1_000) return `${Math.round(size)} ms`;
  if (size < 10_000) return `${(Math.floor(size / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(size / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)];
  if (minutes < 60) return two(minutes, 'min', seconds % 60, 's', minutes < 10);
  if (hours < 24) return two(hours, 'h', minutes % 60, 'min', true);
  return two(days, 'd', hours % 24, 'h', true);
}

/** The age of what is looked at each second: `now`, `3 s ago`, `2 min 5 s ago`. */
export function ago(milliseconds: number): string {
  return milliseconds < 1_000 ? 'now' : `${wholeSeconds(milliseconds)} ago`;
}

/** As a duration, without the tenths that no clock of the page shows. */
export function wholeSeconds(milliseconds: number): string {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1_000);
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1_000);
}

function two(large: number, unit: string, small: number, smallUnit: string, both: boolean): string {
  return both && small > 0 ? `${large} ${unit} ${small} ${smallUnit}` : `${large} ${unit}`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  return value < 1024 * 1024 ? `${figure(value / 1024)} KiB` : `${figure(value / 1024 / 1024)} MiB`;
}
