// Whose time this is, and which version.

import { now } from '../state/clock.ts';
import { link } from '../state/live.ts';
import { session } from '../state/session.ts';
import { utc, zone, zoneId } from '../words/times.ts';

const LINK = { connecting: 'connecting', open: 'live', lost: 'not connected' };

export function Foot() {
  const minute = Math.floor(now.value / 60_000) * 60_000;
  return (
    <footer class="foot">
      <span data-testid="link">Updates: {LINK[link.value]}</span>
      <span title={utc(minute)}>
        {zone(minute) === 'UTC'
          ? 'Times are in UTC'
          : `Times are in ${zone(minute)} (${zoneId()}); their titles say UTC`}
      </span>
      {session.value && <span>netqoe {session.value.version}</span>}
    </footer>
  );
}
