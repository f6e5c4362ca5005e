// Where things are in a chart.

import type { Locator } from '@playwright/test';

export interface Place {
  x: number;
  y: number;
}

/** Where a time is in a plot: its crosshair says which time is under the mouse. */
export async function pointOf(plot: Locator, time: number): Promise<Place> {
  // Where it is depends on what stands above it, and the mouse reaches nothing outside of the window.
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  if (!box) throw new Error('the plot has no place');
  const y = box.y + box.height / 2;
  let [low, high] = [box.x, box.x + box.width - 1];
  while (high - low > 1) {
    const middle = (low + high) / 2;
    await plot.page().mouse.move(middle, y);
    if (Number(await plot.getAttribute('aria-valuenow')) < time) low = middle;
    else high = middle;
  }
  return { x: high, y };
}

/** Drags from one time of a plot to another: along its middle, or between two heights, each a share of it from the top. */
export async function drag(plot: Locator, from: number, to: number, heights?: [number, number]): Promise<void> {
  const [start, end] = [await pointOf(plot, from), await pointOf(plot, to)];
  const { mouse } = plot.page();
  const box = await plot.boundingBox();
  if (box && heights) [start.y, end.y] = heights.map((share) => box.y + share * box.height) as [number, number];
  await mouse.move(start.x, start.y);
  await mouse.down();
  await mouse.move(end.x, end.y, { steps: 5 });
  await mouse.up();
}
