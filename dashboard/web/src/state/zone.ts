// In which zone times are shown: the viewer's, or UTC, for people in several zones who look at one fault.

import { signal } from '@preact/signals';

import { keep, kept } from './kept.ts';

export type ZoneChoice = 'local' | 'utc';

const KEY = 'netqoe-zone';

export const zoneChoice = signal<ZoneChoice>(kept(KEY) === 'utc' ? 'utc' : 'local');

export function chooseZone(choice: ZoneChoice): void {
  zoneChoice.value = choice;
  keep(KEY, choice === 'utc' ? choice : null);
}
