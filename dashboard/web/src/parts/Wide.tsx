// What may be wider than the screen: it scrolls by itself, with keys as well.

import type { ComponentChildren } from 'preact';

export function Wide({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll-x" role="region" tabIndex={0} aria-label={label}>
      {children}
    </div>
  );
}
