// What an address says that means nothing to the page. It is told, since what is shown is not what somebody has asked for.

import { NAMES, parsePlace, type Place } from './place.ts';

/** The parts of a query that change nothing, as `range=99x`. */
export function misread(query: string): string[] {
  const asked = new URLSearchParams(query);
  const place = parsePlace(query);
  return NAMES.filter((name) => {
    const text = asked.get(name);
    return text !== null && !says(place, name, text) && !changes(asked, name, place);
  }).map((name) => `${name}=${asked.get(name)}`);
}

/** Whether the place is as this part has it, with it or without it. */
function says(place: Place, name: string, text: string): boolean {
  if (name === 'range') return 'last' in place.range && place.range.last === text;
  return (place as unknown as Record<string, unknown>)[name] === text;
}

function changes(asked: URLSearchParams, name: string, place: Place): boolean {
  const without = new URLSearchParams(asked);
  without.delete(name);
  return JSON.stringify(parsePlace(`?${without}`)) !== JSON.stringify(place);
}
