// A list that shows its first items, and all of them when it is asked.

import { useState } from 'preact/hooks';

/** Items that are shown at first, wherever there may be many. */
export const FEW = 5;
/** So many more are shown at once: a button would take as much room. */
const NOT_WORTH_HIDING = 1;

interface Few<T> {
  shown: readonly T[];
  /** How many are not shown. */
  left: number;
  showAll: () => void;
}

export function useFew<T>(items: readonly T[], few: number = FEW): Few<T> {
  const [all, setAll] = useState(false);
  const shown = all ? items : firstOf(items, few);
  return { shown, left: items.length - shown.length, showAll: () => setAll(true) };
}

export function firstOf<T>(items: readonly T[], few: number): readonly T[] {
  return items.length <= few + NOT_WORTH_HIDING ? items : items.slice(0, few);
}
