// Through which network a client measures, as far as it is known.

import type { Network } from '../api/types.ts';
import { visible } from './text.ts';

/** As `Northline, wifi`; nothing where nothing is known. */
export function networkText({ isp, network_type }: Network): string {
  return visible([isp, network_type].filter((text) => text !== null && text !== '').join(', '));
}
