// What the matrix calls its rows and columns, and how wide that is.

import { useMemo } from 'preact/hooks';

import type { MatrixAnswer } from '../api/types.ts';
import { cut, shortNames, visible } from '../words/text.ts';
import type { Cells } from './cells.ts';

const LONGEST_CLIENT = 30;
const LONGEST_TARGET = 20;
const NAME_FONT = '600 12px ';

export interface Names {
  clients: string[];
  targets: string[];
}

/** Names change seldom, answers each second. */
export function useNames({ clients, targets }: MatrixAnswer): Names {
  const clientKey = clients.map(({ client_id }) => client_id).join('\n');
  const targetKey = targets.join('\n');
  const clientNames = useMemo(
    () => clients.map(({ client_id }) => cut(visible(client_id), LONGEST_CLIENT)),
    [clientKey],
  );
  const targetNames = useMemo(() => shortNames(targets).map((name) => cut(name, LONGEST_TARGET)), [targetKey]);
  return useMemo(() => ({ clients: clientNames, targets: targetNames }), [clientNames, targetNames]);
}

/** The widths of the longest names: of the longest few by characters, since measuring thousands takes a while. */
export function widthsOf(names: Names, cells: Cells, font: string) {
  const context = document.createElement('canvas').getContext('2d');
  const widest = (texts: string[]) => {
    if (!context) return 0;
    context.font = NAME_FONT + font;
    const longest = [...texts].sort((a, b) => b.length - a.length).slice(0, 20);
    return Math.max(0, ...longest.map((text) => context.measureText(text).width));
  };
  return {
    row: widest(cells.rows.map((row) => names.clients[row] ?? '')),
    column: widest(cells.columns.map((column) => names.targets[column] ?? '')),
  };
}
