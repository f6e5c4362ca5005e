// A moment in an input for date and time. The input knows no zone, so the moment stands beside its text: what was not changed stays the same
// moment, also in the hour that a clock change repeats.

import { moments, offset_ms, zone } from '../words/zones.ts';

export interface Moment {
  /** As the input has it. */
  text: string;
  /** Null where the text is no time, or one that a clock change skips. */
  at: number | null;
}

export function momentOf(at: number): Moment {
  const shown = new Date(at + offset_ms(at)).toISOString();
  return { text: shown.slice(0, shown.lastIndexOf(':')), at };
}

/** What an input says now, after it has said something else: of two moments that it may mean, the one on the same side of the change. */
export function typed(text: string, before: Moment): Moment {
  if (text === before.text) return before;
  const choices = choicesOf(text);
  const same = choices.find(({ at }) => before.at !== null && offset_ms(at) === offset_ms(before.at));
  return { text, at: (same ?? choices[0])?.at ?? null };
}

/** The moments that the text may mean, and their zones. */
export function choicesOf(text: string): { at: number; zone: string }[] {
  const shown_ms = Date.parse(`${text}Z`);
  return Number.isNaN(shown_ms) ? [] : moments(shown_ms).map((at) => ({ at, zone: zone(at) }));
}

/** What is wrong with it, if anything. */
export function momentError({ text, at }: Moment): string | null {
  if (at !== null) return null;
  return Number.isNaN(Date.parse(`${text}Z`)) ? 'no time is given' : 'the clocks skip this time on that day';
}
