// A button that saves the table beside it as CSV.

import { serverNow } from '../state/clock.ts';
import { csv } from '../words/csv.ts';
import { fileName, save } from './save.ts';

/** The table is found in what `within` is, when the button is pressed. */
export function SaveTable({ name, within }: { name: string; within: { current: HTMLElement | null } }) {
  const press = () => {
    const table = within.current?.querySelector('table');
    if (!table) return;
    const rows = [...table.rows].map((row) => [...row.cells].map(textOf));
    // The mark tells spreadsheets that it is UTF-8.
    const content = new Blob(['\ufeff', csv(rows)], { type: 'text/csv;charset=utf-8' });
    save(fileName(name, serverNow(), 'csv'), content);
  };
  return (
    <button type="button" aria-label={`Save as CSV: ${name}`} title="Save as CSV" onClick={press}>
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
