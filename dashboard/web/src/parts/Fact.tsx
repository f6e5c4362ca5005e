// A figure with its name above it, and what belongs to it below, in a list of facts.

import type { ComponentChildren } from 'preact';

interface Props {
  name: string;
  value: string;
  /** What the value's element is called in tests. */
  testid?: string;
  /** Whether the figure is cause for doubt. */
  old?: boolean;
  children: ComponentChildren;
}

export function Fact({ name, value, testid, old = false, children }: Props) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={old ? 'large old' : 'large'} data-testid={testid}>
        {value}
      </dd>
      <dd>
        <small>{children}</small>
      </dd>
    </div>
  );
}
