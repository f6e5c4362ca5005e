import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import type { Dashboard } from './grafana/dashboard.ts';

const FOLDER = new URL('../../../deploy/grafana/dashboards/', import.meta.url);
const WEB = fileURLToPath(new URL('../', import.meta.url));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const read = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');
const parsed = (file: string): Dashboard => JSON.parse(read(file)) as Dashboard;

/**
 * What TypeScript finds wrong with each of these texts as a dashboard. Texts, since JSON that is imported has lost what its
 * literals are, and is not searched for fields that are in no type.
 */
function mistakes(texts: string[]): string[] {
  // Where the compiler finds the packages.
  const folder = mkdtempSync(`${WEB}node_modules/.dashboards-`);
  const names = texts.map((_, number) => `${number}.ts`);
  try {
    const start =
      "import type { Dashboard } from '../../test/grafana/dashboard.ts'; export const dashboard: Dashboard =";
    texts.forEach((text, number) => writeFileSync(`${folder}/${number}.ts`, `${start} ${text};`));
    writeFileSync(
      `${folder}/tsconfig.json`,
      JSON.stringify({ extends: '../../tsconfig.json', files: names, include: [] }),
    );
    const tsc = spawnSync(
      process.execPath,
      [`${WEB}node_modules/typescript-7/bin/tsc`, '--pretty', 'false', '-p', folder],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    );
    const lines = tsc.stdout.split('\n').filter((line) => line !== '');
    const found = names.map((name) => lines.filter((line) => line.startsWith(`${name}(`)).join('\n'));
    // Neither the types themselves nor the compiler have anything to say.
    const others = lines.filter((line) => !line.startsWith(' ') && !names.some((name) => line.startsWith(`${name}(`)));
    expect([...others, tsc.stderr]).toEqual(['']);
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Everything that Grafana looks for variables in. */
function used(dashboard: Dashboard): string[] {
  const { panels, templating } = dashboard;
  const names = JSON.stringify([panels, templating]).matchAll(/\$\{?(\w+)/g);
  return [...names].map(([, name]) => name ?? '').filter((name) => !name.startsWith('__'));
}

function undefinedVariables(dashboard: Dashboard): string[] {
  const defined = new Set<string>(dashboard.templating.list.map(({ name }) => name));
  return used(dashboard).filter((name) => !defined.has(name));
}

function repeated(values: (number | string)[]): (number | string)[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

/** A part of a dashboard, what it is replaced by, and what is to be said of that. */
const WRONG: [string, string, RegExp][] = [
  ['"description": "Records', '"explanation": "Records', /explanation.* does not exist/],
  ['"gridPos": { "h": 4, "w": 6, "x": 0, "y": 0 },', '', /not assignable/],
  ['"w": 6,', '"width": 6,', /width.* does not exist/],
  ['"overrides": []', '"overrides": {}', /Override/],
  ['"unit": "short"', '"unit": "shorts"', /shorts/],
  ['"mode": "absolute"', '"mode": "relative"', /relative/],
  ['"type": "stat"', '"type": "stats"', /not assignable/],
  ['"uid": "${datasource}"', '"uid": "netqoe-prometheus"', /not assignable/],
  ['"expr": "', '"expression": "', /expression.* does not exist/],
];

test("dashboards are of Grafana's schema, and mistakes are found", () => {
  expect(files).toHaveLength(6);
  const log = read('log.json');
  WRONG.forEach(([right]) => expect(log).toContain(right));
  const found = mistakes([...files.map(read), ...WRONG.map(([right, instead]) => log.replace(right, () => instead))]);
  expect(found.slice(0, files.length)).toEqual(files.map(() => ''));
  WRONG.forEach(([, , says], number) => expect(found[files.length + number]).toMatch(says));
}, 60_000);

describe.each(files)('%s', (file) => {
  const dashboard = parsed(file);

  test('has panels of different ids, on places of their own', () => {
    expect(repeated(dashboard.panels.map(({ id }) => id))).toEqual([]);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(repeated(cells)).toEqual([]);
    dashboard.panels.forEach(({ gridPos: { x, w } }) => expect(x + w).toBeLessThanOrEqual(24));
  });

  test('defines every variable that it uses', () => {
    expect(undefinedVariables(dashboard)).toEqual([]);
    const [panel] = dashboard.panels;
    const broken = { ...dashboard, panels: [{ ...panel, title: 'of ${nobody}' }] } as Dashboard;
    expect(undefinedVariables(broken)).toEqual(['nobody']);
  });

  test('says of each panel what it shows, in a sentence', () => {
    const panels = dashboard.panels.filter((panel) => panel.type !== 'row');
    panels.forEach(({ description }) => expect(description).toMatch(/^[A-Z0-9].*\.$/));
  });

  test('asks Prometheus for nothing by client or target', () => {
    const queries = dashboard.panels.flatMap<object>((panel) => (panel.type === 'row' ? [] : panel.targets));
    const expressions = queries.map((query) => ('expr' in query ? String(query.expr) : ''));
    expressions.forEach((expression) => expect(expression).not.toMatch(/\b(client|client_id|target)\b/));
  });
});

test('dashboards have uids of their own, and the tag by which they are linked', () => {
  const dashboards = files.map(parsed);
  expect(repeated(dashboards.map(({ uid }) => uid))).toEqual([]);
  dashboards.forEach(({ tags, links }) => expect([tags, links[0]?.tags]).toEqual([['netqoe'], ['netqoe']]));
});

test('the schema is of the Grafana that the compose file runs, which finds the dashboards', () => {
  const compose = readFileSync(new URL('../../compose/compose.yml', FOLDER), 'utf8');
  const { devDependencies } = JSON.parse(readFileSync(`${WEB}package.json`, 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  expect(compose).toContain(`image: grafana/grafana:${devDependencies['@grafana/schema']}\n`);
  expect(compose).toContain('- ../grafana:/etc/grafana/provisioning:ro');
  expect(read('dashboards.yml')).toContain('path: /etc/grafana/provisioning/dashboards\n');
  const sources = readFileSync(new URL('../datasources/netqoe.yml', FOLDER), 'utf8');
  files.map(parsed).forEach(({ templating }) => expect(sources).toContain(`type: ${templating.list[0].query}\n`));
});
