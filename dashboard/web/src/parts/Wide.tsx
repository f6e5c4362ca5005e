// A table that may be wider than the screen: it scrolls by itself, with keys as well, and can be saved. On a phone each of its rows
// stands as a block, with the column's name beside each cell.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

import { SaveTable } from './SaveTable.tsx';

/** Where rows stand as blocks: see style/stacked.css. */
const narrow = matchMedia('(max-width: 720px)');

interface Props {
  /** What the table holds. */
  name: string;
  children: ComponentChildren;
  /** What else can be done with it. */
  tools?: ComponentChildren;
  class?: string;
  /** Shows the rows that are not shown yet, where some are not: a file has all. */
  showAll?: () => void;
}

export function Wide({ name, children, tools, class: kind = '', showAll }: Props) {
  const region = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (narrow.matches) nameCells(region.current);
  });
  return (
    <>
      <div ref={region} class={`scroll-x ${kind}`} role="region" tabIndex={0} aria-label={`${name}: table`}>
        {children}
      </div>
      <div class="table-tools">
        {tools}
        <SaveTable name={name} within={region} showAll={showAll} />
      </div>
    </>
  );
}

/** Notes at each cell what its column is called; style shows it where columns have no room. */
function nameCells(region: HTMLElement | null): void {
  const table = region?.querySelector('table');
  if (!table?.tHead) return;
  const names = [...(table.tHead.rows[0]?.cells ?? [])].map(({ textContent }) =>
    // Without the sign of the order.
    (textContent ?? '').replace('▾', '').trim(),
  );
  for (const body of table.tBodies) {
    for (const row of body.rows) {
      [...row.cells].forEach((cell, index) => {
        const column = names[index] ?? '';
        if (cell.dataset['column'] !== column) cell.dataset['column'] = column;
      });
    }
  }
}
