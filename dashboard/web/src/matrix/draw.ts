// One pass over what is seen of the matrix.

import type { MatrixAnswer } from '../api/types.ts';
import type { Palette } from '../charts/palette.ts';
import { labelOfCode, wordsOf } from '../words/labels.ts';
import { cut } from '../words/text.ts';
import { UNMEASURED, type Cells } from './cells.ts';
import { seen, type Layout, type Size, type Spot } from './layout.ts';

export interface Scene {
  answer: MatrixAnswer;
  cells: Cells;
  layout: Layout;
  view: Size;
  scroll: { x: number; y: number };
  /** Names as they are shown, of all rows and columns of the answer. */
  clientNames: string[];
  targetNames: string[];
  /** Cells with another label stand back. */
  label: string | null;
  cursor: Spot | null;
  pointed: Spot | null;
  palette: Palette;
}

const SLANT = -Math.PI / 4;

export function draw(context: CanvasRenderingContext2D, scene: Scene): void {
  const { layout, view, scroll, palette } = scene;
  const range = seen(layout, scroll, view);
  context.fillStyle = palette.token('ground');
  context.fillRect(0, 0, view.width, view.height);
  drawCells(context, scene, range);
  drawCursor(context, scene);
  drawHeads(context, scene, range);
}

type Range = ReturnType<typeof seen>;

function drawCells(context: CanvasRenderingContext2D, scene: Scene, range: Range): void {
  const { answer, cells, layout, scroll, palette, label } = scene;
  const { cell, head } = layout;
  const paint = paintsOf(palette);
  const [width, height] = [cell.width - 1, cell.height - 1];
  context.font = `700 11px ${palette.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let row = range.rows[0]; row < range.rows[1]; row++) {
    const codes = answer.labels[cells.rows[row] as number] ?? '';
    const severities = answer.severities[cells.rows[row] as number] ?? '';
    const y = head.height + row * cell.height - scroll.y;
    for (let column = range.columns[0]; column < range.columns[1]; column++) {
      const code = codes[cells.columns[column] as number] ?? '.';
      if (code === '.') continue;
      const x = head.width + column * cell.width - scroll.x;
      if (code === UNMEASURED) {
        drawUnmeasured(context, x, y, width, height, palette);
        continue;
      }
      const kind = paint.get(code);
      if (kind === undefined) {
        drawUnknown(context, x, y, width, height, palette);
        continue;
      }
      context.globalAlpha = label === null || kind.letter === '' || kind.label === label ? 1 : 0.25;
      context.fillStyle = kind.fill;
      context.fillRect(x, y, width, height);
      if (kind.letter === '') continue;
      context.fillStyle = kind.ink;
      context.fillText(kind.letter, x + width / 2 - 3, y + height / 2 + 0.5);
      drawBars(
        context,
        Number(severities[cells.columns[column] as number]) || 0,
        x + width / 2 + 4,
        y + height / 2 + 4,
      );
    }
  }
  context.globalAlpha = 1;
}

/** As many bars as the severity is heavy, each higher than the one before it. */
function drawBars(context: CanvasRenderingContext2D, weight: number, x: number, bottom: number): void {
  for (let bar = 0; bar < weight; bar++) {
    const height = 3 + bar * 2.5;
    context.fillRect(x + bar * 2.5, bottom - height, 1.5, height);
  }
}

/** Measured, not judged: an outline. */
function drawUnknown(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  palette: Palette,
): void {
  context.strokeStyle = palette.token('line-strong');
  context.lineWidth = 1;
  context.setLineDash([2, 2]);
  context.strokeRect(x + 1.5, y + 1.5, width - 3, height - 3);
  context.setLineDash([]);
}

/** Was measured, and is silent: grey, with a stroke through it. */
function drawUnmeasured(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  palette: Palette,
): void {
  context.fillStyle = palette.token('label-unknown');
  context.fillRect(x, y, width, height);
  context.fillStyle = palette.token('line-strong');
  context.fillRect(x + width / 2 - 5, y + height / 2 - 0.75, 10, 1.5);
}

function paintsOf(palette: Palette) {
  const paints = new Map<string, { fill: string; ink: string; letter: string; label: string }>();
  for (const code of 'hdcste') {
    const label = labelOfCode(code) ?? 'healthy';
    paints.set(code, { fill: palette.label(label), ink: palette.onLabel(label), letter: wordsOf(label).letter, label });
  }
  return paints;
}

function drawCursor(context: CanvasRenderingContext2D, { layout, scroll, cursor, pointed, palette }: Scene): void {
  const { cell, head } = layout;
  const outline = ({ row, column }: Spot, color: string, line: number) => {
    context.strokeStyle = color;
    context.lineWidth = line;
    const x = head.width + column * cell.width - scroll.x;
    const y = head.height + row * cell.height - scroll.y;
    context.strokeRect(x - 0.5, y - 0.5, cell.width, cell.height);
  };
  if (pointed) outline(pointed, palette.token('line-strong'), 1);
  if (cursor) {
    outline(cursor, palette.token('ground'), 5);
    outline(cursor, palette.token('text'), 2);
  }
}

function drawHeads(context: CanvasRenderingContext2D, scene: Scene, range: Range): void {
  const { layout, view, palette } = scene;
  const { head } = layout;
  context.fillStyle = palette.token('ground');
  context.fillRect(0, 0, head.width, view.height);
  context.fillRect(0, 0, view.width, head.height);
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  within(context, [0, head.height, head.width - 4, view.height], () => drawRowNames(context, scene, range));
  within(context, [head.width - 2, 0, view.width, head.height - 2], () => drawColumnNames(context, scene, range));
  context.fillStyle = palette.token('line');
  context.fillRect(0, head.height - 1, view.width, 1);
}

function drawRowNames(context: CanvasRenderingContext2D, scene: Scene, { rows }: Range): void {
  const { cells, layout, scroll, clientNames, pointed, cursor } = scene;
  const { cell, head } = layout;
  for (let row = rows[0]; row < rows[1]; row++) {
    setNameStyle(context, scene, pointed?.row === row || cursor?.row === row);
    const y = head.height + row * cell.height - scroll.y + cell.height / 2;
    context.fillText(fitted(context, clientNames[cells.rows[row] as number] ?? '', head.width - 14), 8, y);
  }
}

function drawColumnNames(context: CanvasRenderingContext2D, scene: Scene, { columns }: Range): void {
  const { cells, layout, scroll, targetNames, pointed, cursor } = scene;
  const { cell, head, upright } = layout;
  for (let column = columns[0]; column < columns[1]; column++) {
    setNameStyle(context, scene, pointed?.column === column || cursor?.column === column);
    const x = head.width + column * cell.width - scroll.x;
    const name = targetNames[cells.columns[column] as number] ?? '';
    if (upright) {
      context.fillText(name, x + 2, head.height / 2);
      continue;
    }
    context.save();
    context.translate(x + cell.width / 2, head.height - 6);
    context.rotate(SLANT);
    context.fillText(name, 0, 0);
    context.restore();
  }
}

/** The name of what is looked at stands out. */
function setNameStyle(context: CanvasRenderingContext2D, { palette }: Scene, isLookedAt: boolean): void {
  context.font = `${isLookedAt ? 600 : 400} 12px ${palette.font}`;
  context.fillStyle = palette.token(isLookedAt ? 'text' : 'quiet');
}

/** What is drawn meanwhile does not reach beyond the rectangle. */
function within(
  context: CanvasRenderingContext2D,
  [x, y, width, height]: [number, number, number, number],
  drawing: () => void,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  drawing();
  context.restore();
}

/** The name, cut where it is wider than its room. */
function fitted(context: CanvasRenderingContext2D, name: string, room: number): string {
  const { width } = context.measureText(name);
  return width <= room ? name : cut(name, Math.max(1, Math.floor((name.length * room) / width) - 1));
}
