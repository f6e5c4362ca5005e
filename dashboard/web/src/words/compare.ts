// What the pairs of a target or client have in common, in a sentence.

import type { Compare, ComparedPair } from '../api/types.ts';
import { plural } from './text.ts';

/** `past` tells the pairs' current state as that at the end of the range. */
export function compareText({ pairs }: Compare, kind: 'client' | 'target', past: boolean): string {
  const other = kind === 'client' ? 'target' : 'client';
  const hurt = pairs.filter(isHurt);
  const is = past ? 'was' : 'is';
  const now = past ? 'at the end of this range' : 'now';
  const only = pairs.length === 1 ? pairs[0] : undefined;
  if (only) {
    const how = isHurt(only) ? `degraded ${now}: ${only.label}` : `not degraded ${now}`;
    return `Its only ${other} ${is} ${how}; ${plural(only.degraded_windows, 'window')} of this range ${only.degraded_windows === 1 ? 'is' : 'are'} degraded.`;
  }
  const was = pairs.filter(({ degraded_windows }) => degraded_windows > 0).length;
  const before = `${was.toLocaleString('en')} had degraded windows in ${past ? 'it' : 'this range'}`;
  if (past && was === 0) return `None of ${plural(pairs.length, other)} was degraded in this range.`;
  if (hurt.length === 0) {
    return `None of ${plural(pairs.length, other)} ${is} degraded ${now}; ${was === 0 ? 'none was in this range' : before}.`;
  }
  const labels = [...new Set(hurt.map(({ label }) => label))];
  const how = labels.length === 1 ? `, all ${labels[0]}` : `: ${labels.join(', ')}`;
  const are = hurt.length === 1 ? is : past ? 'were' : 'are';
  return `${hurt.length.toLocaleString('en')} of ${plural(pairs.length, other)} ${are} degraded ${now}${hurt.length === 1 ? `: ${labels[0]}` : how}; ${before}.`;
}

export function isHurt({ label }: Pick<ComparedPair, 'label'>): boolean {
  return label !== null && label !== 'healthy';
}
