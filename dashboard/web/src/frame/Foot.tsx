// Whose time this is, with the choice of another, and which version.

import { now } from '../state/clock.ts';
import { link } from '../state/live.ts';
import { session } from '../state/session.ts';
import { chooseZone, zoneChoice, type ZoneChoice } from '../state/zone.ts';
import { bounds } from '../state/present.ts';
import { utc } from '../words/times.ts';
import { zoneId, zonesOf } from '../words/zones.ts';

const LINK = { connecting: 'connecting', open: 'live', lost: 'not connected' };

export function Foot() {
  const minute = Math.floor(now.value / 60_000) * 60_000;
  const { from, to } = bounds();
  // Of what is shown, which may be of another season than the present.
  const zones = zonesOf(from, to).join(', then ');
  return (
    <footer class="foot">
      <span data-testid="link">Updates: {LINK[link.value]}</span>
      <span title={utc(minute)}>
        {zones === 'UTC' ? 'Times are in UTC' : `Times are in ${zones} (${zoneId()}); their titles say UTC`}
      </span>
      <select
        aria-label="Time zone"
        value={zoneChoice.value}
        onChange={(event) => chooseZone(event.currentTarget.value as ZoneChoice)}
      >
        <option value="local">Local time</option>
        <option value="utc">UTC</option>
      </select>
      {session.value && <span>netqoe {session.value.version}</span>}
    </footer>
  );
}
