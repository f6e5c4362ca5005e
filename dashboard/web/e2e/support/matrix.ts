// The matrix is a canvas: where a cell is, is found by pointing and reading what the page says of it.

import { expect, type Page } from '@playwright/test';

import { answers } from './api.ts';
import type { Netqoe } from './netqoe.ts';

/** A third of a cell's height and narrowest width. */
const STEP_PX = 6;

export interface Pair {
  client: string;
  target: string;
}

/** Moves the mouse onto a pair's cell. */
export async function pointAt(page: Page, { client, target }: Pair): Promise<{ x: number; y: number }> {
  const matrix = page.getByTestId('matrix');
  await matrix.scrollIntoViewIfNeeded();
  const box = await matrix.boundingBox();
  if (!box) throw new Error('the matrix has no place');
  const says = async (x: number, y: number) => {
    await page.mouse.move(x, y);
    // Between cells nothing is said.
    return page.evaluate(() => document.querySelector('.cell-tip')?.textContent ?? '');
  };
  for (let y = box.y + STEP_PX; y < box.y + box.height; y += STEP_PX) {
    if (!(await says(box.x + box.width / 2, y)).startsWith(`${client} → `)) continue;
    for (let x = box.x + STEP_PX; x < box.x + box.width; x += STEP_PX) {
      if ((await says(x, y)).startsWith(`${client} → ${target}`)) return { x, y };
    }
  }
  throw new Error(`no cell says ${client} → ${target}`);
}

/** Moves the matrix' cursor onto a pair's cell, from its first one. */
export async function stepTo(page: Page, netqoe: Netqoe, range: object, { client, target }: Pair): Promise<void> {
  const { clients, targets } = await answers.matrix(netqoe, range);
  const [row, column] = [clients.findIndex(({ client_id }) => client_id === client), targets.indexOf(target)];
  for (let step = 0; step < row; step++) await page.keyboard.press('ArrowDown');
  for (let step = 0; step < column; step++) await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('matrix-readout')).toContainText(`${client} → ${target}`);
}

/** Goes on with Tab until the matrix has the focus. */
export async function tabToMatrix(page: Page): Promise<void> {
  const matrix = page.getByTestId('matrix');
  await expect(matrix).toBeVisible();
  for (let stop = 0; stop < 60; stop++) {
    await page.keyboard.press('Tab');
    if (await matrix.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error('Tab does not come to the matrix');
}
