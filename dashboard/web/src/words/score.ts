// A score and the shares of time, in figures.

import type { QualityOfOutcome, Score } from '../api/types.ts';
import { percent } from './figures.ts';

/** From 0 to 100, with a decimal; what is not quite 100 never reads 100. */
export function scoreText(score: number | null): string {
  if (score === null) return '–';
  return score === 100 ? '100' : (Math.floor(score * 10) / 10).toFixed(1);
}

/** As `available 99 %, unavailable 0 %, unmeasured 1 %`. */
export function sharesText({ available, unavailable, unmeasured }: Score): string {
  return `available ${percent(available)}, unavailable ${percent(unavailable)}, unmeasured ${percent(unmeasured)}`;
}

/** As `83.3 (latency 83.3, loss 100)`. */
export function outcomeText({ score, latency, loss }: QualityOfOutcome): string {
  return `${scoreText(score)} (latency ${scoreText(latency)}, loss ${scoreText(loss)})`;
}
