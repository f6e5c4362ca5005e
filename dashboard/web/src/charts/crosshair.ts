// The one crosshair of all charts: a time, or none.

import { signal } from '@preact/signals';

export const crosshair = signal<number | null>(null);
