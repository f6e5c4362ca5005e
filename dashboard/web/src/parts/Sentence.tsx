// A sentence of the server, which has names from events in it: read from left to right, whatever a name begins with, and cut where it is long.

import { cut, visible } from '../words/text.ts';

const LONGEST = 320;

export function Sentence({ text, length = LONGEST }: { text: string; length?: number }) {
  const whole = visible(text);
  const shown = cut(whole, length);
  return (
    <bdi dir="ltr" class="words" title={shown === whole ? undefined : whole}>
      {shown}
    </bdi>
  );
}
