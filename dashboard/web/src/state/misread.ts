// What an address says that means nothing to the page. It is told, since what is shown is not what somebody has asked for.

import { NAMES, parsePlace, type Place } from './place.ts';

/** The parts of a query that change nothing, as `range=99x`. */
export function misread(query: string): string[] {
  const asked = new URLSearchParams(query);
  const place = parsePlace(query);
  const parts = NAMES.flatMap((name) => asked.getAll(name).map((text) => ({ name, text })));
  const told = parts.filter(({ name, text }) => {
    if (name === 'labelled') return !place.labelled.some((tagged) => tagged === text);
    return text === asked.get(name) && !says(place, name, text) && !changes(asked, name, place);
  });
  return told.map(({ name, text }) => `${name}=${text}`);
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
