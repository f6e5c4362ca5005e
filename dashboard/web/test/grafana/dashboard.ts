// What the dashboards in deploy/grafana may hold: Grafana's own types, with those of the two kinds of queries, which are not in its
// package, and without what its types leave to each panel's plugin. A field that is in no type here is refused, so one that is
// needed for the first time has to be given its type first.

import type * as grafana from '@grafana/schema';

/** What JSON writes of a T: members of enums by their values. */
type Json<T> = T extends string ? `${T}` : T extends object ? { [Key in keyof T]: Json<T[Key]> } : T;

export interface Dashboard extends Required<
  Pick<Json<grafana.Dashboard>, 'uid' | 'title' | 'description' | 'tags' | 'time' | 'refresh' | 'links'>
> {
  /** Of the Grafana whose package this is, which is the one of the compose file. */
  schemaVersion: 41;
  graphTooltip: Json<grafana.DashboardCursorSync>;
  templating: { list: [DataSourceVariable, ...Variable[]] };
  panels: (Row | TimeSeries | Stat | Table)[];
}

type PrometheusRef = DataSource<'prometheus'>;
type PostgresRef = DataSource<'grafana-postgresql-datasource'>;
/** The one that the reader has chosen: no dashboard knows what it is called in a Grafana. */
interface DataSource<Type> extends Required<Pick<grafana.DataSourceRef, 'type' | 'uid'>> {
  type: Type & string;
  uid: '${datasource}';
}

type AnyVariable = Json<grafana.VariableModel>;
interface DataSourceVariable extends Pick<AnyVariable, 'name' | 'type'> {
  name: 'datasource';
  label: string;
  type: 'datasource';
  query: PrometheusRef['type'] | PostgresRef['type'];
}
interface Variable extends Required<Pick<AnyVariable, 'name' | 'label' | 'description' | 'refresh' | 'sort'>> {
  type: 'query';
  datasource: PostgresRef;
  query: string;
}

interface Query {
  refId: 'A' | 'B' | 'C' | 'D' | 'E';
}
interface PromQl extends Query {
  expr: string;
  legendFormat?: string;
}
interface Sql extends Query {
  format: 'time_series' | 'table';
  rawQuery: true;
  editorMode: 'code';
  rawSql: string;
}
type Queried =
  { datasource: PrometheusRef; targets: [PromQl, ...PromQl[]] } | { datasource: PostgresRef; targets: [Sql, ...Sql[]] };

type AnyPanel = Json<grafana.Panel>;
type Panel<Type, Defaults> = Required<Pick<AnyPanel, 'id' | 'title' | 'description' | 'gridPos'>> &
  Pick<AnyPanel, 'interval'> &
  Queried & { type: Type; fieldConfig: { defaults: Defaults; overrides: Override[] } };

type Row = Pick<Json<grafana.RowPanel>, 'collapsed' | 'type'> &
  Required<Pick<Json<grafana.RowPanel>, 'id' | 'title' | 'gridPos'>> & { panels: [] };

/** Of the units that Grafana has, those that are in use here. A name that Grafana does not know is shown as text. */
interface Measured {
  unit: 'bytes' | 'cps' | 'eps' | 'Mbits' | 'mps' | 'ms' | 'ops' | 'percentunit' | 'reqps' | 'rowsps' | 's' | 'short';
}
type Field = Json<grafana.FieldConfig>;
type TimeSeries = Panel<
  'timeseries',
  Measured &
    Pick<Field, 'min'> & { custom?: Pick<Json<grafana.GraphFieldConfig>, 'drawStyle' | 'fillOpacity' | 'stacking'> }
>;
/** Without either, Grafana shows 80 of anything in red. */
type Stat = Panel<'stat', Measured & (Required<Pick<Field, 'thresholds'>> | Required<Pick<Field, 'color'>>)>;
type Table = Panel<'table', Record<string, never>>;

interface Override {
  matcher: { id: 'byName'; options: string };
  properties: (
    { id: 'color'; value: Json<grafana.FieldColor> } | { id: 'links'; value: { title: string; url: string }[] }
  )[];
}
