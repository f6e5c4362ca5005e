// What labels and severities are called, and the letter and marks that tell them without colour.

import type { Label, Severity } from '../api/types.ts';

export interface LabelWords {
  label: Label;
  letter: string;
  /** The token of its colour in style/tokens.css. */
  token: string;
  /** What it means, in a line. */
  meaning: string;
}

const WORDS: LabelWords[] = [
  { label: 'error-bound', letter: 'E', token: 'error', meaning: 'too many measurements fail' },
  {
    label: 'server-bound',
    letter: 'S',
    token: 'server',
    meaning: 'the first byte takes longer than usual; connecting does not explain it',
  },
  { label: 'handshake-bound', letter: 'H', token: 'handshake', meaning: 'TCP and TLS take longer than usual' },
  {
    label: 'dns-bound',
    letter: 'D',
    token: 'dns',
    meaning: 'name resolution takes longer than usual, and much of the time',
  },
  { label: 'throughput-bound', letter: 'T', token: 'throughput', meaning: 'less throughput than usual' },
  { label: 'healthy', letter: '', token: 'healthy', meaning: 'as usual' },
];

export const HURT = WORDS.filter(({ label }) => label !== 'healthy');

export function wordsOf(label: Label): LabelWords {
  return WORDS.find((words) => words.label === label) ?? (WORDS.at(-1) as LabelWords);
}

/** The characters of the matrix. */
const CODES: Record<string, Label> = {
  h: 'healthy',
  d: 'dns-bound',
  c: 'handshake-bound',
  s: 'server-bound',
  t: 'throughput-bound',
  e: 'error-bound',
};

export function labelOfCode(code: string): Label | null {
  return CODES[code] ?? null;
}

const SEVERITIES: Severity[] = ['minor', 'major', 'critical'];

/** 1 minor, 2 major, 3 critical: as many bars as it has; 0 where there is none. */
export function weight(severity: Severity | null): number {
  return severity === null ? 0 : SEVERITIES.indexOf(severity) + 1;
}

export function severityOfWeight(weight: number): Severity | null {
  return SEVERITIES[weight - 1] ?? null;
}
