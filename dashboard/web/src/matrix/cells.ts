// The matrix as the page shows it: which rows and columns, and what a cell says.

import type { MatrixAnswer, Label, Severity } from '../api/types.ts';
import { labelOfCode, severityOfWeight } from '../words/labels.ts';

export interface Cells {
  /** Indices into the answer's clients and targets, in the order in which they are shown. */
  rows: number[];
  columns: number[];
}

/** Clients of which some pair is measured. */
export function reportingOf({ clients, labels }: MatrixAnswer): Set<string> {
  const reports = (row: number) => [...(labels[row] ?? '')].some((code) => code !== ABSENT && code !== UNMEASURED);
  return new Set(clients.flatMap(({ client_id }, row) => (reports(row) ? [client_id] : [])));
}

export interface MatrixFilter {
  isp: string | null;
  label: Label | null;
  only: boolean;
}

/** The characters of a pair without a row, and of one that has missed its rhythm. */
const ABSENT = '.';
export const UNMEASURED = 'u';

export type Cell =
  | { state: 'absent' }
  | { state: 'unknown' }
  | { state: 'unmeasured' }
  | { state: 'judged'; label: Label; severity: Severity | null };

export function cellAt(answer: MatrixAnswer, row: number, column: number): Cell {
  const code = answer.labels[row]?.[column] ?? ABSENT;
  if (code === ABSENT) return { state: 'absent' };
  if (code === UNMEASURED) return { state: 'unmeasured' };
  const label = labelOfCode(code);
  if (label === null) return { state: 'unknown' };
  return { state: 'judged', label, severity: severityOfWeight(Number(answer.severities[row]?.[column]) || 0) };
}

/** Rows of the filter's provider; and where only hurt ones are wanted, rows and columns with a hurt cell (of the filter's label). */
export function cellsOf(answer: MatrixAnswer, { isp, label, only }: MatrixFilter): Cells {
  const ofIsp = answer.clients.flatMap((client, row) => (isp === null || (client.isp ?? '') === isp ? [row] : []));
  if (!only) return { rows: ofIsp, columns: answer.targets.map((_, column) => column) };
  const counts = (code: string) => {
    const found = labelOfCode(code);
    return found !== null && (label === null ? found !== 'healthy' : found === label);
  };
  const hurtColumns = new Set<number>();
  const rows = ofIsp.filter((row) => {
    const codes = answer.labels[row] ?? '';
    let hurt = false;
    for (let column = 0; column < codes.length; column++) {
      if (!counts(codes[column] as string)) continue;
      hurt = true;
      hurtColumns.add(column);
    }
    return hurt;
  });
  return { rows, columns: [...hurtColumns].sort((a, b) => a - b) };
}

/** How many cells have each label, and how many are unmeasured; healthy ones are not counted. */
export function cellCounts({ labels }: MatrixAnswer): { labels: Map<Label, number>; unmeasured: number } {
  const codes = new Map<string, number>();
  for (const row of labels) {
    for (let column = 0; column < row.length; column++) {
      const code = row[column] as string;
      if (code !== 'h' && code !== ABSENT) codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  }
  const counts = new Map<Label, number>();
  for (const [code, count] of codes) {
    const label = labelOfCode(code);
    if (label !== null) counts.set(label, count);
  }
  return { labels: counts, unmeasured: codes.get(UNMEASURED) ?? 0 };
}
