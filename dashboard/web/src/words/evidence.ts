// A diagnosis in words and figures.

import type { Evidence, Label, Series, UsualColumns } from '../api/types.ts';
import { count, figure, mbits, ms, percent, reach } from './figures.ts';
import { plural } from './text.ts';

const STAGES: Record<string, string> = { dns: 'DNS', tcp: 'TCP', tls: 'TLS', http: 'HTTP', ttfb: 'TTFB' };

/** Fewer σ are nothing out of the ordinary, and not told. */
const NOTABLE_SIGMAS = 2;
/** A window of more samples tells only by two percentiles how many of them are slow, and so at least how many. */
const SAMPLES_TOLD_EXACTLY = 2;

/** As `first byte 412 ms, usually 88 to 105 ms; 4 of 4 measurements in 2 windows`. */
export function evidenceText(label: Label, evidence: Evidence): string {
  switch (label) {
    case 'error-bound':
      return failuresText(evidence);
    case 'dns-bound':
      return slowText('DNS', ms, evidence);
    case 'handshake-bound':
      return slowText('TCP + TLS', ms, evidence);
    case 'server-bound':
      return slowText('first byte', ms, evidence);
    case 'throughput-bound':
      return slowText('throughput', mbits, evidence);
    case 'healthy':
      return 'as usual';
  }
}

function slowText(what: string, value: (observed: number) => string, evidence: Evidence): string {
  const { observed, unit, usual, usual_low, usual_high, sigmas } = evidence;
  const range = usual === null ? '' : `, usually ${rangeText(usual, usual_low, usual_high)} ${unit}`;
  const few = Math.abs(sigmas ?? 0) < NOTABLE_SIGMAS;
  const far = few ? '' : `, ${deviation(sigmas as number)}`;
  const counted = countedText(evidence);
  return `${what} ${value(observed)}${range}${far}${counted && `; ${counted}`}`;
}

function deviation(sigmas: number): string {
  const size = Math.abs(sigmas);
  const digits = size < 10 ? size.toFixed(1) : Math.round(size).toLocaleString('en');
  return `${digits} σ ${sigmas > 0 ? 'above' : 'below'}`;
}

/** As `at least 14 of 24 measurements in 2 windows`. */
function countedText({ samples, bad_samples, windows }: Evidence): string {
  if (samples === null || bad_samples === null || windows === null) return '';
  const bound = samples > SAMPLES_TOLD_EXACTLY * windows && bad_samples < samples ? 'at least ' : '';
  return `${bound}${ofMeasurements(bad_samples, samples, windows)}`;
}

function ofMeasurements(bad: number, samples: number, windows: number): string {
  return `${count(bad)} of ${plural(samples, 'measurement')} in ${plural(windows, 'window')}`;
}

/** As `5 of 6 measurements in 2 windows failed, most of them at HTTP`. */
function failuresText({ stage, observed, samples, bad_samples, windows }: Evidence): string {
  const at = `${bad_samples === 1 ? '' : 'most of them '}at ${nameOf(stage)}`;
  if (samples === null || bad_samples === null || windows === null) {
    // An older netqoe did not count them: all may be one.
    return `${observed === 1 ? 'all' : `${percent(observed)} of the`} measurements failed, ${at}`;
  }
  return `${ofMeasurements(bad_samples, samples, windows)} failed, ${at}`;
}

function nameOf(stage: string): string {
  return STAGES[stage] ?? stage;
}

/** As `4 of 5 (TLS 3, HTTP 1)`. */
export function failedText(
  { count_error, count_total, errors }: Pick<Series, 'count_error' | 'count_total' | 'errors'>,
  index: number,
): string {
  const failed = `${count(count_error[index])} of ${count(count_total[index])}`;
  const stages = Object.entries(errors).flatMap(([name, counts]) => {
    const at = counts[index] ?? 0;
    return at > 0 ? [`${nameOf(name)} ${count(at)}`] : [];
  });
  return stages.length > 0 ? `${failed} (${stages.join(', ')})` : failed;
}

/** What is usual at a point, as `88 to 105 ms`. */
export function usualText({ usual, low, high }: UsualColumns, index: number, unit: string): string {
  const middle = usual[index] ?? null;
  return middle === null ? '–' : `${rangeText(middle, low[index] ?? null, high[index] ?? null)} ${unit}`;
}

function rangeText(usual: number, low: number | null, high: number | null): string {
  return low === null || high === null ? figure(usual) : reach(low, high);
}
