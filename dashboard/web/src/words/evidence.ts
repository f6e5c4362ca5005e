// A diagnosis in words and figures.

import type { Evidence, Label, Series, Values } from '../api/types.ts';
import { count, figure, mbits, ms, percent, spread } from './figures.ts';

const STAGES: Record<string, string> = { dns: 'DNS', tcp: 'TCP', tls: 'TLS', http: 'HTTP', ttfb: 'TTFB' };

/** As `TTFB p95 412 ms, usually 96 ± 7 ms, 45 σ above; connection normal`. */
export function evidenceText(label: Label, evidence: Evidence): string {
  switch (label) {
    case 'error-bound':
      return `${percent(evidence.observed)} of the measurements fail, most of them at ${stage(evidence.stage)}`;
    case 'dns-bound': {
      const share = evidence.share_of_total === null ? '' : `, ${percent(evidence.share_of_total)} of the total`;
      return `DNS p95 ${ms(evidence.observed)}${share}${usually(evidence)}`;
    }
    case 'handshake-bound':
      return `TCP + TLS p95 ${ms(evidence.observed)}${usually(evidence)}`;
    case 'server-bound':
      return `TTFB p95 ${ms(evidence.observed)}${usually(evidence)}; connection normal`;
    case 'throughput-bound':
      return `throughput p50 ${mbits(evidence.observed)}${usually(evidence)}; latency normal`;
    case 'healthy':
      return 'as usual';
  }
}

function stage(name: string): string {
  return STAGES[name] ?? name;
}

function usually({ unit, mean, sigma, sigmas }: Evidence): string {
  if (mean === null) return '';
  const usual = sigma === null ? figure(mean) : spread(mean, sigma);
  return `, usually ${usual} ${unit}${deviation(sigmas)}`;
}

function deviation(sigmas: number | null): string {
  if (sigmas === null || sigmas === 0) return '';
  const size = Math.abs(sigmas);
  const digits = size < 10 ? size.toFixed(1) : Math.round(size).toLocaleString('en');
  return `, ${digits} σ ${sigmas > 0 ? 'above' : 'below'}`;
}

/** As `4 of 5 (TLS 3, HTTP 1)`. */
export function failedText(
  { count_error, count_total, errors }: Pick<Series, 'count_error' | 'count_total' | 'errors'>,
  index: number,
): string {
  const failed = `${count(count_error[index])} of ${count(count_total[index])}`;
  const stages = Object.entries(errors).flatMap(([name, counts]) => {
    const at = counts[index] ?? 0;
    return at > 0 ? [`${stage(name)} ${count(at)}`] : [];
  });
  return stages.length > 0 ? `${failed} (${stages.join(', ')})` : failed;
}

/** What is usual at a point, as `96.2 ± 7.1 ms`. */
export function usualText({ mean, sigma }: { mean: Values; sigma: Values }, index: number, unit: string): string {
  const [middle, reach] = [mean[index] ?? null, sigma[index] ?? null];
  return middle === null || reach === null ? '–' : `${spread(middle, reach)} ${unit}`;
}
