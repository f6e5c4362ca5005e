// What came late and was counted all the same, in words.

import type { Corrections, Series } from '../api/types.ts';
import { count } from './figures.ts';
import { plural } from './text.ts';
import { time } from './times.ts';

/** Whether a window, or a point of several, may still change, or has changed since it was final. */
export function stateText(is_final: boolean, corrected_at: number | null, now: number): string {
  if (corrected_at !== null) return `corrected at ${time(corrected_at, now)}, with measurements that came late`;
  return is_final ? 'final' : 'may still change';
}

/** When each window was corrected, by its start; none where a point stands for several windows and does not say which. */
export function correctedWindows({ start, point_ms, window_ms, corrected_at }: Series): Map<number, number> {
  if (point_ms !== window_ms) return new Map();
  const pairs = start.map((from, index) => [from, corrected_at[index] ?? null] as const);
  return new Map(pairs.filter((pair): pair is readonly [number, number] => pair[1] !== null));
}

/** `1,204 events counted late, 3,611 rows written`, with copies where there were some. */
export function totalText({ items }: Corrections): string {
  const sum = (of: (item: Corrections['items'][number]) => number) => items.reduce((all, item) => all + of(item), 0);
  const [accepted, copies, rows] = [
    sum(({ accepted }) => accepted),
    sum(({ duplicate }) => duplicate),
    sum(({ rows_written }) => rows_written),
  ];
  const parts = [
    `${plural(accepted, 'event')} counted that came late`,
    copies > 0 ? plural(copies, 'copy', 'copies') : null,
    `${plural(rows, 'row')} written`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

/** What is not counted yet; null where nothing waits. */
export function waitingText({ waiting: { pairs, events } }: Corrections): string | null {
  if (pairs === 0) return null;
  return `${plural(events, 'event')} of ${count(pairs)} ${pairs === 1 ? 'pair waits' : 'pairs wait'} to be counted.`;
}
