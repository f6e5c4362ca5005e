// A list that shows its first items, and all of them when it is asked.

import { useState } from 'preact/hooks';

interface Few<T> {
  shown: readonly T[];
  /** How many are not shown. */
  left: number;
  showAll: () => void;
}

export function useFew<T>(items: readonly T[], few: number): Few<T> {
  const [all, setAll] = useState(false);
  const shown = all ? items : items.slice(0, few);
  return { shown, left: items.length - shown.length, showAll: () => setAll(true) };
}
