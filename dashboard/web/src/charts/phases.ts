// The phases that the smoke graph can show, as columns of a series: pure.

import type { Label, Series, UsualColumns, Values } from '../api/types.ts';
import type { Phase } from '../state/place.ts';
import { usualSum } from './points.ts';

export const PHASE_NAMES: Record<Phase, string> = {
  total: 'Total',
  ttfb: 'TTFB',
  handshake: 'TCP + TLS',
  tls: 'TLS',
  tcp: 'TCP',
  dns: 'DNS',
};

const PARTS = {
  total: ['dns', 'tcp', 'tls', 'ttfb'],
  handshake: ['tcp', 'tls'],
} as const;

export interface PhaseColumns {
  p50: Values;
  p95: Values;
  /** Null where the phase is not judged alone. */
  usual: UsualColumns | null;
  /** By which column windows can be told apart; a sum of phases is none. */
  column: string | null;
}

export function columnsOf(series: Series, phase: Phase): PhaseColumns {
  const { p50, p95, usual } = series;
  switch (phase) {
    case 'ttfb':
    case 'dns':
      return { p50: p50[phase], p95: p95[phase], usual: usual[phase], column: `${phase}_p95` };
    case 'tcp':
    case 'tls':
      // They are judged as one, the handshake; alone they have no band.
      return { p50: p50[phase], p95: p95[phase], usual: null, column: `${phase}_p95` };
    case 'handshake':
      return { ...sums(series, phase), usual: usual.handshake, column: null };
    case 'total':
      return { ...sums(series, phase), usual: usualTotal(series), column: null };
  }
}

function sums({ p50, p95 }: Series, phase: keyof typeof PARTS): Pick<PhaseColumns, 'p50' | 'p95'> {
  return {
    p50: sumOf(PARTS[phase].map((part) => p50[part])),
    p95: sumOf(PARTS[phase].map((part) => p95[part])),
  };
}

/** Of what is known of each point; null where nothing is. */
function sumOf(columns: Values[]): Values {
  const [first = []] = columns;
  return first.map((_, index) => {
    const known = columns.map((column) => column[index] ?? null).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  });
}

/** Where rules compare each phase alone, what is usual of them is added up, and has no range. */
function usualTotal({ usual, start }: Series): UsualColumns {
  if (usual.total.usual.some((value) => value !== null)) return usual.total;
  const none: Values = start.map(() => null);
  return { usual: usualSum([usual.dns.usual, usual.handshake.usual, usual.ttfb.usual]), low: none, high: none };
}

/** The phase that a label speaks of; a failure is of no phase, and throughput has a chart of its own. */
const PHASE_OF: Partial<Record<Label, Phase>> = {
  'dns-bound': 'dns',
  'handshake-bound': 'handshake',
  'server-bound': 'ttfb',
};

/** What hurt last in the range, and else the whole. */
export function hurtingPhase({ diagnoses }: Pick<Series, 'diagnoses'>): Phase {
  const label = diagnoses[0]?.label;
  return (label && PHASE_OF[label]) ?? 'total';
}
