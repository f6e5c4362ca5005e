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

export interface Told {
  answer: MatrixAnswer;
  cells: Cells;
  spot: Spot;
  diagnoses: Diagnosis[];
}

export function CellWords({ answer, cells, spot, diagnoses }: Told) {
  const found = lookUp(answer, cells, spot);
  if (!found) return null;
  const { client, target, cell } = found;
  const why = diagnoses.find((diagnosis) => diagnosis.client_id === client.client_id && diagnosis.target === target);
  const network = networkText(client);
  return (
    <>
      <p class="pair-names">
        <Name text={client.client_id} length={40} /> → <Name text={target} length={60} />
      </p>
      <p>
        {cell.state === 'absent' && <span class="quiet">not measured lately</span>}
        {cell.state === 'unmeasured' && <Unmeasured />}
        {cell.state === 'unknown' && <LabelMark label={null} inert />}
        {cell.state === 'judged' && <LabelMark label={cell.label} inert />}
        {cell.state === 'judged' && <SeverityMark severity={cell.severity} />}
        {why && <SinceTime at={why.since} />}
      </p>
      {why && <p>{evidenceText(why.label, why.evidence)}</p>}
      {network && <p class="quiet">{network}</p>}
    </>
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
