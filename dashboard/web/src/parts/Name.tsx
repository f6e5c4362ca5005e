// Text from events: shown as text, with what can't be seen made visible, and cut where it is long.

import { cut, short, visibleName } from '../words/text.ts';

interface Props {
  text: string;
  /** Most characters that are shown; the title has all. */
  length?: number;
  /** Whether a URL's scheme may be left out. */
  brief?: boolean;
}

export function Name({ text, length = 64, brief = false }: Props) {
  const whole = visibleName(text);
  const shown = cut(brief ? visibleName(short(text)) : whole, length);
  return (
    <bdi class="name" title={shown === whole ? undefined : whole}>
      {shown}
    </bdi>
  );
}
