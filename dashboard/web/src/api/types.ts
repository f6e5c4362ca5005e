// Short names for the answers of the query API, whose types `npm run types` makes from query/openapi.json.

import type { components } from './openapi.ts';

type Schemas = components['schemas'];

export type Label = Schemas['Label'];
export type Severity = Schemas['Severity'];
export type Metric = keyof Schemas['ByMetric'];
export type Stage = keyof Schemas['UsualBand'];
export type Dimension = Schemas['DimensionName'];

export type Evidence = Schemas['Evidence'];
export type Diagnosis = Schemas['CurrentDiagnosis'];
export type Since = Pick<Diagnosis, 'since'>;
export type Network = Pick<Diagnosis, 'isp' | 'network_type'>;

export type Run = Schemas['RunItem'];
export type Runs = Schemas['Runs'];

export type HurtGroup = Schemas['Hurt'];
export type HurtTarget = Schemas['TargetGroup'];
export type HurtClient = Schemas['ClientGroup'];
export type HurtIsp = Schemas['IspGroup'];
export type HurtLabel = Schemas['LabelGroup'];
/** Those that people give to a client or a target, by name. */
export type Labels = Schemas['Labels'];
export type Events = Schemas['Events'];
export type Overview = Schemas['Overview'];

export type SilentClient = Schemas['SilentClient'];
export type ExpiringCertificate = Schemas['ExpiringCertificate'];

export type CauseDimension = Schemas['CauseDimension'];
export type Cause = Schemas['Cause'];
export type Weight = Schemas['Weight'];
export type Incident = Schemas['Incident'];
export type IncidentRevision = Schemas['IncidentRevision'];
export type IncidentNote = Schemas['IncidentNote'];
export type IncidentDetail = Schemas['IncidentDetail'];
export type IncidentPair = Schemas['IncidentPair'];
export type MaintenanceWindow = Schemas['MaintenanceWindow'];
export type QualityOfOutcome = Schemas['QualityOfOutcome'];
export type Score = Schemas['Score'];
export type Scores = Schemas['Scores'];
export type ScoredBy = Schemas['ScoredBy'];

export type NewNote = Schemas['NewNoteBody'];
export type NewMaintenance = Schemas['NewMaintenanceBody'];

export type Timeline = Schemas['Timeline'];
export type MatrixAnswer = Schemas['Matrix'];

export type UsualColumns = Schemas['UsualColumns'];
export type Values = UsualColumns['usual'];
export type Series = Schemas['Series'];

export type MeasurementItem = Schemas['MeasurementItem'];
export type Measurements = Schemas['MeasurementsAnswer'];

export type ComparedPair = Schemas['ComparedPair'];
export type Compare = Schemas['Comparison'];

export type LabelMeanings = Schemas['LabelMeanings'];
export type LabelMeaning = Schemas['LabelMeaning'];

export type Share = Schemas['Share'];
export type DimensionValue = Schemas['DimensionValue'];
export type Different = Schemas['Difference'];
export type MeasuredDimension = Schemas['MeasuredDimensionName'];
export type MeasurementDifference = Schemas['MeasurementDifference'];

export type State = Schemas['Part'];
export type PartitionState = Schemas['PartitionProgress'];
export type Pipeline = Schemas['PipelineAnswer'];

export type Uncounted = Schemas['UncountedAnswer'];
export type UncountedItem = Schemas['UncountedItem'];

export type Corrections = Schemas['Corrections'];

export type DeadLetter = Schemas['LetterItem'];
export type DeadLetters = Schemas['LettersAnswer'];

export type ClientItem = Schemas['ClientItem'];
export type TargetItem = Schemas['TargetItem'];

/** Some items of a list, and where the next page begins. */
export interface Items<T> {
  items: T[];
  next_cursor: string | null;
}

/** Of the listener, whose routes are no part of the query API's document. */
export interface Session {
  token_needed: boolean;
  signed_in: boolean;
  version: string;
}
