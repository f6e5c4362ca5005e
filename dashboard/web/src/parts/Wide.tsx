// A table that may be wider than the screen: it scrolls by itself, with keys as well, and can be saved.

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

import { SaveTable } from './SaveTable.tsx';

interface Props {
  /** What the table holds. */
  name: string;
  children: ComponentChildren;
  /** What else can be done with it. */
  tools?: ComponentChildren;
  class?: string;
}

export function Wide({ name, children, tools, class: kind = '' }: Props) {
  const region = useRef<HTMLDivElement>(null);
  return (
    <>
      <div ref={region} class={`scroll-x ${kind}`} role="region" tabIndex={0} aria-label={`${name}: table`}>
        {children}
      </div>
      <div class="table-tools">
        {tools}
        <SaveTable name={name} within={region} />
      </div>
    </>
  );
}
