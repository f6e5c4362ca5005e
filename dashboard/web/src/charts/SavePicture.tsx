// A button that saves a chart as a PNG: its title, its range of time, and the plot.

import type { Bounds } from '../api/client.ts';
import { fileName, save } from '../parts/save.ts';
import { serverNow } from '../state/clock.ts';
import { span } from '../words/times.ts';
import { zonesOf } from '../words/zones.ts';
import { palette } from './palette.ts';

const HEAD_PX = 44;
const MARGIN_PX = 12;

interface Props {
  title: string;
  bounds: Bounds;
  within: { current: HTMLElement | null };
}

export function SavePicture({ title, bounds, within }: Props) {
  const press = () => {
    const plot = within.current?.querySelector('canvas');
    if (!plot) return;
    const { from, to } = bounds;
    const when = `${span(from, to, serverNow())} (${zonesOf(from, to).join(', then ')})`;
    picture(plot, title, when).toBlob((content) => {
      if (content) save(fileName(title, serverNow(), 'png'), content);
    });
  };
  return (
    <button type="button" aria-label={`Save as PNG: ${title}`} title="Save the chart as PNG" onClick={press}>
      PNG
    </button>
  );
}

function picture(plot: HTMLCanvasElement, title: string, when: string): HTMLCanvasElement {
  const { token, font } = palette.value;
  // Of the drawing's pixels, which are more than the page's where the screen is fine.
  const scale = plot.width / plot.clientWidth;
  const canvas = document.createElement('canvas');
  canvas.width = plot.width;
  canvas.height = plot.height + HEAD_PX * scale;
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  context.fillStyle = token('panel');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = 'top';
  const line = (text: string, y_px: number, size_px: number, color: string) => {
    context.font = `${size_px * scale}px ${font}`;
    context.fillStyle = token(color);
    context.fillText(text, MARGIN_PX * scale, y_px * scale);
  };
  line(title, 6, 15, 'text');
  line(when, 26, 12, 'quiet');
  context.drawImage(plot, 0, HEAD_PX * scale);
  return canvas;
}
