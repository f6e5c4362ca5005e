// The matrix with the pairs that are silent: a client or target that the matrix lacks gets a row or a column at its end. A pair that has a row
// is measured again, or not missed yet. Pure.

import type { MatrixAnswer, UnmeasuredPair } from '../api/types.ts';
import { UNMEASURED } from './cells.ts';

const ABSENT = '.';

/** Clients of which some pair is measured. */
export function reportingOf({ clients, labels }: MatrixAnswer): Set<string> {
  const reports = (row: number) => [...(labels[row] ?? '')].some((code) => code !== ABSENT && code !== UNMEASURED);
  return new Set(clients.flatMap(({ client_id }, row) => (reports(row) ? [client_id] : [])));
}

export function withUnmeasured(answer: MatrixAnswer, pairs: readonly UnmeasuredPair[]): MatrixAnswer {
  if (pairs.length === 0) return answer;
  const rows = new Map(answer.clients.map(({ client_id }, row) => [client_id, row]));
  const columns = new Map(answer.targets.map((target, column) => [target, column]));
  const clients = [...answer.clients];
  const targets = [...answer.targets];
  for (const { client_id, target, isp } of pairs) {
    if (!rows.has(client_id)) {
      rows.set(client_id, clients.length);
      clients.push({ client_id, isp, network_type: null });
    }
    if (!columns.has(target)) {
      columns.set(target, targets.length);
      targets.push(target);
    }
  }
  const labels = clients.map((_, row) => [...(answer.labels[row] ?? '').padEnd(targets.length, ABSENT)]);
  for (const { client_id, target } of pairs) {
    const [row, column] = [rows.get(client_id), columns.get(target)];
    const codes = row === undefined ? undefined : labels[row];
    if (codes && column !== undefined && codes[column] === ABSENT) codes[column] = UNMEASURED;
  }
  return {
    ...answer,
    clients,
    targets,
    labels: labels.map((codes) => codes.join('')),
    severities: clients.map((_, row) => (answer.severities[row] ?? '').padEnd(targets.length, '0')),
  };
}
