// The hurt cells of the matrix as a table.

import type { Label, MatrixAnswer } from '../api/types.ts';
import { Link } from '../parts/Link.tsx';
import { Name } from '../parts/Name.tsx';
import { plural } from '../words/text.ts';
import { cellAt, cellsOf } from './cells.ts';

/** More than this nobody reads, and no browser likes. */
const MOST_ROWS = 500;

export function MatrixTable({
  answer,
  filter,
}: {
  answer: MatrixAnswer;
  filter: { isp: string | null; label: Label | null };
}) {
  const { rows, columns } = cellsOf(answer, { ...filter, only: true });
  const hurt = rows.flatMap((row) =>
    columns.flatMap((column) => {
      const cell = cellAt(answer, row, column);
      const counts =
        cell.state === 'judged' && (filter.label === null ? cell.label !== 'healthy' : cell.label === filter.label);
      return counts
        ? [{ client: answer.clients[row]?.client_id ?? '', target: answer.targets[column] ?? '', cell }]
        : [];
    }),
  );
  return (
    <table>
      <caption>
        Degraded pairs of the matrix: {plural(hurt.length, 'pair')}
        {hurt.length > MOST_ROWS && `, of which ${MOST_ROWS} are listed`}
      </caption>
      <thead>
        <tr>
          <th scope="col">Client</th>
          <th scope="col">Target</th>
          <th scope="col">Label</th>
          <th scope="col">Severity</th>
        </tr>
      </thead>
      <tbody>
        {hurt.slice(0, MOST_ROWS).map(({ client, target, cell }) => (
          <tr key={`${client}\n${target}`}>
            <th scope="row">
              <Link to={{ view: 'pair', client, target }}>
                <Name text={client} />
              </Link>
            </th>
            <td>
              <Name text={target} />
            </td>
            <td>{cell.label}</td>
            <td>{cell.severity}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
