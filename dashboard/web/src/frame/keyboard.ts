// The keys that work everywhere.

import { go, goBack, place } from '../state/navigation.ts';
import { above } from '../state/place.ts';
import { bounds } from '../state/present.ts';
import { following, shifted } from '../state/range.ts';
import { mayRead } from '../state/session.ts';
import { finderOpen } from './Finder.tsx';
import { keysOpen } from './Keys.tsx';

export const KEYS: { where: string; keys: [keys: string, does: string][] }[] = [
  {
    where: 'Everywhere',
    keys: [
      ['/', 'find a client or a target'],
      ['Esc', 'go up: from a mark, a filter, a pair to what is around it'],
      ['f', 'the fleet'],
      ['d', 'what is different'],
      ['p', 'the pipeline'],
      ['[  ]', 'the range earlier, later'],
      ['n', 'now: follow the present again'],
      ['t', 'tables behind the charts'],
      ['?', 'these keys'],
    ],
  },
  {
    where: 'In the matrix',
    keys: [
      ['← ↑ → ↓', 'move the cursor; Page ↑, Page ↓, Home and End by more'],
      ['Enter', 'open the pair'],
    ],
  },
  {
    where: 'On a chart',
    keys: [
      ['← →', 'move the crosshair of all charts; Home and End to the ends'],
      ['Shift ← →', 'mark a region'],
      ['Enter', 'what is different in the marked region'],
    ],
  },
  {
    where: 'On the incidents over time',
    keys: [
      ['← →', 'move between incidents; Home and End to the first and the last'],
      ['Enter', 'open the incident'],
    ],
  },
];

/** Starts to listen; gives what ends it. */
export function startKeys(): () => void {
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
}

/** What lies over the page has the keys; a browser that knows no popovers shows none. */
const OVER = CSS.supports('selector(:popover-open)') ? 'dialog[open], :popover-open' : 'dialog[open]';

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!mayRead.value || document.querySelector(OVER)) return;
  if (typesInto(event.target) && event.key !== 'Escape') return;
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

/** A field that closed with its dialog has the focus until the browser has drawn the page again. It takes no keys. */
function typesInto(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('input, select, textarea') && target.checkVisibility();
}

const ACTIONS: Record<string, () => void> = {
  '/': () => (finderOpen.value = true),
  '?': () => (keysOpen.value = true),
  Escape: up,
  f: () => go({ view: 'fleet', client: null, target: null }),
  d: () => go({ view: 'different' }),
  p: () => go({ view: 'pipeline' }),
  '[': () => go({ range: shifted(bounds(), -0.5) }),
  ']': () => 'last' in place.value.range || go({ range: shifted(bounds(), 0.5) }),
  n: () => 'last' in place.value.range || go({ range: following(place.value.range) }),
  t: () => go({ tables: !place.value.tables }, 'replace'),
};

function up(): void {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  if (place.value.view === 'different' && goBack()) return;
  const next = above(place.value);
  if (next) go(next);
}
