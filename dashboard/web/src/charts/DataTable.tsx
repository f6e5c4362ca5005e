// A chart's figures as a table.

import type { ComponentChildren } from 'preact';

export interface TableData {
  head: string[];
  /** The first cell names the row. */
  rows: ComponentChildren[][];
}

export function DataTable({ caption, data }: { caption: string; data: TableData }) {
  return (
    <div class="scroll-x table-behind" tabIndex={0} role="region" aria-label={`${caption}: table`}>
      <table data-testid="chart-table">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {data.head.map((name, index) => (
              <th key={name} scope="col" class={index > 0 ? 'figure' : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, index) =>
                index === 0 ? (
                  <th key={index} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={index} class="figure">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
