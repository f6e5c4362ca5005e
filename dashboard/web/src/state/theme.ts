// Light or dark: as the system says, or as the viewer chose.

import { computed, signal } from '@preact/signals';

import { keep, kept } from './kept.ts';

export type Scheme = 'light' | 'dark';
export type Choice = 'system' | Scheme;

const KEY = 'netqoe-scheme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

const system = signal<Scheme>(prefersDark.matches ? 'dark' : 'light');
export const choice = signal<Choice>(keptChoice());
export const scheme = computed<Scheme>(() => (choice.value === 'system' ? system.value : choice.value));

export function startTheme(): void {
  prefersDark.addEventListener('change', (event) => (system.value = event.matches ? 'dark' : 'light'));
  scheme.subscribe((value) => (document.documentElement.dataset['scheme'] = value));
}

export function choose(value: Choice): void {
  choice.value = value;
  keep(KEY, value === 'system' ? null : value);
}

function keptChoice(): Choice {
  const value = kept(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
}
