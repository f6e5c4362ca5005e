// From the matrix to a pair and back, by mouse and by keyboard; and the address keeps what is shown.

import type { Page } from '@playwright/test';

import { post } from './support/events.ts';
import { slowServerOf, within, type SlowServer } from './support/faults.ts';
import { pointAt, stepTo, tabToMatrix, type Pair } from './support/matrix.ts';
import type { Netqoe } from './support/netqoe.ts';
import { expect, test } from './support/test.ts';

const CLIENT = 'demo-07';
/** Larger than a cell of the demo's matrix. */
const CELL_PX = 270;
const CELL_HEIGHT_PX = 40;

async function openFault(page: Page, demo: Netqoe): Promise<{ fault: SlowServer; pair: Pair; range: object }> {
  const fault = await slowServerOf(demo);
  const range = within(fault);
  await page.goto(`${demo.origin}/?from=${range.from}&to=${range.to}`);
  await tellsOf(page, fault);
  await expect(page.getByTestId('matrix')).toBeVisible();
  return { fault, pair: { client: CLIENT, target: fault.target }, range };
}

/** The first screen, in the moment of the fault. */
async function tellsOf(page: Page, { target }: SlowServer): Promise<void> {
  await expect(page.getByTestId('group').first()).toContainText(new URL(target).host);
}

async function showsPair(page: Page, { client, target }: Pair, fault: SlowServer): Promise<void> {
  await expect(page.getByTestId('pair-title')).toHaveText(`${client} → ${target}`);
  await expect(page.getByTestId('pair-now')).toContainText(fault.label);
  await expect(page.getByTestId('chart')).toHaveCount(4);
}

test('a click on a cell opens its pair', { tag: '@store' }, async ({ page, demo }) => {
  const { fault, pair } = await openFault(page, demo);
  const { x, y } = await pointAt(page, pair);
  const tip = page.getByTestId('matrix-readout');
  await expect(tip).toContainText(fault.label);
  const at = await tip.boundingBox();
  if (!at) throw new Error('the words have no place');
  expect(at.x <= x + CELL_PX && at.x + at.width >= x - CELL_PX, 'they stand at the cell').toBe(true);
  expect(Math.min(Math.abs(at.y - y), Math.abs(at.y + at.height - y)), 'and close to it').toBeLessThan(CELL_HEIGHT_PX);
  await page.mouse.click(x, y);
  await showsPair(page, pair, fault);
  await page.getByTestId('pair-title').getByRole('link', { name: pair.client }).click();
  await expect(page.getByTestId('client-title')).toContainText(pair.client);
  await page
    .getByTestId('pairs')
    .getByRole('link', { name: new URL(fault.target).host })
    .click();
  await showsPair(page, pair, fault);
});

test('arrows and Enter open a pair, Esc goes back', async ({ page, demo }) => {
  const { fault, pair, range } = await openFault(page, demo);
  await tabToMatrix(page);
  await stepTo(page, demo, range, pair);
  await page.keyboard.press('Enter');
  await showsPair(page, pair, fault);
  await page.keyboard.press('Escape');
  await tellsOf(page, fault);
});

test('the cursor stays with its pair when another client appears before it', async ({ page, up }) => {
  const netqoe = await up();
  const target = 'https://example.com/';
  const measured = (...clients: string[]) =>
    post(
      netqoe,
      clients.map((client_id) => ({ client_id, target })),
    );
  await measured('client-b', 'client-c');
  await page.goto(netqoe.origin);
  await expect(page.getByTestId('facts')).toContainText('of 2 clients');
  await tabToMatrix(page);
  await page.keyboard.press('ArrowDown');
  const readout = page.getByTestId('matrix-readout');
  await expect(readout).toContainText('client-c → ');
  await measured('client-a');
  await expect(page.getByTestId('matrix')).toHaveAttribute('aria-rowcount', '3');
  await expect(readout).toContainText('client-c → ');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('pair-title')).toContainText('client-c');
});

test('a name is found by a part of it', async ({ page, demo }) => {
  await page.goto(demo.origin);
  await expect(page.getByTestId('matrix')).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('login');
  await expect(page.getByRole('dialog').getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('target-title')).toContainText('login.example.com');
});

test('no key is lost that follows the end of a dialog at once', async ({ page, up }) => {
  // Faster than the browser draws: between two keys it may not have told yet that the dialog is closed.
  const ROUNDS = 8;
  const { origin } = await up();
  await page.goto(origin);
  await expect(page.getByTestId('sentence')).toBeVisible();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [key, name] of [
      ['/', 'Find a client or a target'],
      ['?', 'Keys'],
    ] as const) {
      for (const press of [key, 'Escape', key, 'Escape', key]) await page.keyboard.press(press);
      await expect(page.getByRole('dialog', { name })).toBeVisible();
      await page.keyboard.press('Escape');
    }
  }
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('reload, back and forward keep what is shown', { tag: '@store' }, async ({ page, demo }) => {
  const { fault, pair } = await openFault(page, demo);
  await page.getByRole('button', { name: 'Tables' }).click();
  const fleet = page.url();
  const name = new URL(fault.target).host;
  await page.getByTestId('group').getByRole('heading').getByRole('link', { name }).click();
  await expect(page.getByTestId('target-title')).toContainText(name);
  const target = page.url();
  await page.getByTestId('pairs').getByRole('link', { name: pair.client }).click();
  await showsPair(page, pair, fault);
  const last = page.url();

  await page.reload();
  await showsPair(page, pair, fault);
  await expect(page.getByTestId('chart-table')).toHaveCount(4);
  expect(page.url()).toBe(last);
  await page.goBack();
  await expect(page.getByTestId('target-title')).toContainText(name);
  expect(page.url()).toBe(target);
  await page.goBack();
  await tellsOf(page, fault);
  expect(page.url()).toBe(fleet);
  await page.goForward();
  await page.goForward();
  await showsPair(page, pair, fault);
  expect(page.url()).toBe(last);
});
