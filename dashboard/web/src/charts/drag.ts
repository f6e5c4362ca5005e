// What a pointer does over a chart: it moves the crosshair of all charts, and marks what it is dragged over.

import { useRef, useState } from 'preact/hooks';

import { go } from '../state/navigation.ts';
import { crosshair } from './crosshair.ts';
import type { Corner, Mark } from './mark.ts';

/** A pointer that moves less than this while it is pressed has clicked. */
const DRAG_PIXELS = 4;

interface Place {
  /** Where the pointer is, within the element that listens. */
  cornerAt: (x: number, y: number, width: number) => Corner;
  markOf: (a: Corner, b: Corner) => Mark;
  /** What a press without a drag does. */
  click?: (at: Corner) => void;
}

/** Where a pointer was pressed: in the chart, and on the screen. */
interface Press {
  corner: Corner;
  x: number;
  y: number;
}

/** Gives what is being marked, and what listens. */
export function useDrag({ cornerAt, markOf, click }: Place) {
  const pressed = useRef<Press | null>(null);
  const [dragged, setDragged] = useState<Mark | null>(null);
  const cornerOf = (event: PointerEvent) => {
    const { left, top, width } = (event.currentTarget as Element).getBoundingClientRect();
    return cornerAt(event.clientX - left, event.clientY - top, width);
  };
  const end = () => {
    pressed.current = null;
    setDragged(null);
  };
  const listeners = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      pressed.current = { corner: cornerOf(event), x: event.clientX, y: event.clientY };
      // A finger that moves scrolls the page.
      if (event.pointerType !== 'touch') (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const corner = cornerOf(event);
      crosshair.value = corner.time;
      const from = pressed.current;
      if (from === null || event.pointerType === 'touch') return;
      const moved = Math.hypot(event.clientX - from.x, event.clientY - from.y);
      if (dragged || moved > DRAG_PIXELS) setDragged(markOf(from.corner, corner));
    },
    onPointerUp: () => {
      if (dragged) go(dragged, 'replace');
      else if (pressed.current) click?.(pressed.current.corner);
      end();
    },
    onPointerCancel: end,
    onPointerLeave: () => {
      if (pressed.current === null) crosshair.value = null;
    },
  };
  return { dragged, listeners };
}
