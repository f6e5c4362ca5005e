// A link to a place of the page: a true address, so that it opens in a new tab, too.

import type { ComponentChildren } from 'preact';

import { go, hrefOf } from '../state/navigation.ts';
import type { Place } from '../state/place.ts';

interface Props {
  to: Partial<Place>;
  children: ComponentChildren;
  class?: string;
  current?: boolean;
  label?: string;
  title?: string;
  tabIndex?: number;
}

export function Link({ to, children, class: className, current, label, title, tabIndex }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a
      href={hrefOf(to)}
      class={className}
      aria-current={current ? 'page' : undefined}
      aria-label={label}
      title={title}
      tabIndex={tabIndex}
      onClick={follow}
    >
      {children}
    </a>
  );
}
