// A chart's figures as a table.

import type { ComponentChildren } from 'preact';

import { Wide } from '../parts/Wide.tsx';

export interface TableData {
  head: string[];
  /** The first cell names the row. */
  rows: ComponentChildren[][];
}

interface Props {
  caption: string;
  data: TableData;
  tools?: ComponentChildren;
}

export function DataTable({ caption, data, tools }: Props) {
  return (
    <Wide name={caption} class="table-behind" tools={tools}>
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
    </Wide>
  );
}
