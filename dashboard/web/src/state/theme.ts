// Light or dark: as the system says, or as the viewer chose.

import { computed, signal } from '@preact/signals';

export type Scheme = 'light' | 'dark';
export type Choice = 'system' | Scheme;

const KEY = 'netqoe-scheme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

const system = signal<Scheme>(prefersDark.matches ? 'dark' : 'light');
export const choice = signal<Choice>(kept());
export const scheme = computed<Scheme>(() => (choice.value === 'system' ? system.value : choice.value));

export function startTheme(): void {
  prefersDark.addEventListener('change', (event) => (system.value = event.matches ? 'dark' : 'light'));
  scheme.subscribe((value) => (document.documentElement.dataset['scheme'] = value));
}

export function choose(value: Choice): void {
  choice.value = value;
  try {
    if (value === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value);
  } catch {
    // A browser that keeps nothing for this page: the choice lasts as long as the page.
  }
}

function kept(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}
