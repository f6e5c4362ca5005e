// A button that saves the table beside it as CSV.

import { serverNow } from '../state/clock.ts';
import { csv } from '../words/csv.ts';
import { fileName, save } from './save.ts';

interface Props {
  name: string;
  /** The table is found in what this is, when the button is pressed. */
  within: { current: HTMLElement | null };
  /** Shows the rows that are not shown yet. */
  showAll?: (() => void) | undefined;
}

export function SaveTable({ name, within, showAll }: Props) {
  const press = async () => {
    if (showAll) {
      showAll();
      // They are there once the page has been drawn again.
      await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    }
    const table = within.current?.querySelector('table');
    if (!table) return;
    const rows = [...table.rows].map((row) => [...row.cells].map(textOf));
    // The mark tells spreadsheets that it is UTF-8.
    const content = new Blob(['\ufeff', csv(rows)], { type: 'text/csv;charset=utf-8' });
    save(fileName(name, serverNow(), 'csv'), content);
  };
  return (
    <button type="button" aria-label={`Save as CSV: ${name}`} title="Save as CSV" onClick={() => void press()}>
      CSV
    </button>
  );
}

/** What a cell says, with names as they are where they are shown cut, and times with their day and zone. */
function textOf(cell: HTMLTableCellElement): string {
  const whole = cell.cloneNode(true) as HTMLElement;
  for (const hidden of whole.querySelectorAll('[aria-hidden="true"]')) hidden.remove();
  for (const name of whole.querySelectorAll<HTMLElement>('.name[title]')) name.textContent = name.title;
  for (const time of whole.querySelectorAll('time')) time.textContent = time.dateTime;
  return (whole.textContent ?? '').replace(/\s+/g, ' ').trim();
}
