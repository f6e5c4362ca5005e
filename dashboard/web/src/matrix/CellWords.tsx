// What a cell of the matrix says, in words.

import type { Diagnosis, MatrixAnswer } from '../api/types.ts';
import { LabelMark, SeverityMark } from '../parts/Label.tsx';
import { Name } from '../parts/Name.tsx';
import { SinceTime } from '../parts/Time.tsx';
import { evidenceText } from '../words/evidence.ts';
import { networkText } from '../words/network.ts';
import { visible } from '../words/text.ts';
import { cellAt, type Cell, type Cells } from './cells.ts';
import type { Spot } from './layout.ts';

interface Props {
  answer: MatrixAnswer;
  cells: Cells;
  spot: Spot | null;
  diagnoses: Diagnosis[];
}

export function CellWords({ answer, cells, spot, diagnoses }: Props) {
  const found = spot && lookUp(answer, cells, spot);
  if (!found) {
    return (
      <p class="matrix-readout quiet" aria-hidden="true">
        Point at a cell, or use the arrow keys; Enter opens the pair.
      </p>
    );
  }
  const { client, target, cell } = found;
  const why = diagnoses.find((diagnosis) => diagnosis.client_id === client.client_id && diagnosis.target === target);
  const network = networkText(client);
  return (
    <p class="matrix-readout" aria-hidden="true" data-testid="matrix-readout">
      <span>
        <Name text={client.client_id} length={40} /> → <Name text={target} length={60} />
      </span>
      {network && <span class="quiet">{network}</span>}
      {cell.state === 'absent' && <span class="quiet">not measured lately</span>}
      {cell.state === 'unmeasured' && <Unmeasured />}
      {cell.state === 'unknown' && <LabelMark label={null} />}
      {cell.state === 'judged' && <LabelMark label={cell.label} />}
      {cell.state === 'judged' && <SeverityMark severity={cell.severity} />}
      {why && <SinceTime at={why.since} />}
      {why && <span>{evidenceText(why.label, why.evidence)}</span>}
    </p>
  );
}

function Unmeasured() {
  return (
    <span class="label">
      <span class="letter unmeasured" aria-hidden="true" />
      unmeasured
    </span>
  );
}

/** The same as one text. */
export function cellText(answer: MatrixAnswer, cells: Cells, spot: Spot): string {
  const found = lookUp(answer, cells, spot);
  if (!found) return '';
  return `${visible(found.client.client_id)} to ${visible(found.target)}: ${stateText(found.cell)}`;
}

function stateText(cell: Cell): string {
  if (cell.state === 'absent') return 'not measured lately';
  if (cell.state === 'unmeasured') return 'unmeasured';
  if (cell.state === 'unknown') return 'not judged: no baseline yet';
  return cell.severity ? `${cell.label}, ${cell.severity}` : cell.label;
}

function lookUp(answer: MatrixAnswer, cells: Cells, { row, column }: Spot) {
  const [atRow, atColumn] = [cells.rows[row], cells.columns[column]];
  if (atRow === undefined || atColumn === undefined) return null;
  const [client, target] = [answer.clients[atRow], answer.targets[atColumn]];
  return client && target !== undefined ? { client, target, cell: cellAt(answer, atRow, atColumn) } : null;
}
