// The colours of style/tokens.css for canvases, read again when the scheme changes.

import { computed } from '@preact/signals';

import type { Label } from '../api/types.ts';
import { scheme } from '../state/theme.ts';
import { wordsOf } from '../words/labels.ts';

export const palette = computed(() => {
  // The attribute follows the scheme in an effect, which may run later than this.
  document.documentElement.dataset['scheme'] = scheme.value;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    token,
    label: (label: Label) => token(`label-${wordsOf(label).token}`),
    onLabel: (label: Label) => (label === 'healthy' ? token('text') : token(`on-${wordsOf(label).token}`)),
    font: style.fontFamily,
  };
});

export type Palette = typeof palette.value;
