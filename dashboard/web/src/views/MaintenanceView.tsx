// Maintenance windows: incidents of their causes are kept, and nobody is told of them.

import { ask } from '../api/client.ts';
import { Shown } from '../parts/States.tsx';
import { useAnswer } from '../state/answer.ts';
import { place } from '../state/navigation.ts';
import { MaintenanceForm } from './maintenance/MaintenanceForm.tsx';
import { MaintenanceList } from './maintenance/MaintenanceList.tsx';

export function MaintenanceView() {
  const { incident } = place.value;
  const windows = useAnswer('maintenance', (signal) => ask.maintenance(signal));
  const planned = useAnswer(incident === null ? null : `incident ${incident}`, (signal) =>
    ask.incident(incident ?? '', signal),
  );
  return (
    <>
      <h1>Maintenance windows</h1>
      <p>
        An incident is planned if it lies within a maintenance window for its cause. Planned incidents are found and
        shown as others are, and nobody is notified of them.
      </p>
      {incident === null ? (
        <MaintenanceForm key="none" incident={null} />
      ) : (
        <Shown answer={planned} what="the incident">
          {(value) => <MaintenanceForm key={value.id} incident={value} />}
        </Shown>
      )}
      <Shown answer={windows} what="the list">
        {({ items }) => <MaintenanceList windows={items} />}
      </Shown>
    </>
  );
}
