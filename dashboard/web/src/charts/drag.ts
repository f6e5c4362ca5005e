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

/** Gives what is being marked, and what listens. */
export function useDrag({ cornerAt, markOf, click }: Place) {
  const pressed = useRef<PointerEvent | null>(null);
  const [dragged, setDragged] = useState<Mark | null>(null);
  const cornerOf = (event: PointerEvent, element: EventTarget | null) => {
    const { left, top, width } = (element as Element).getBoundingClientRect();
    return cornerAt(event.clientX - left, event.clientY - top, width);
  };
  const end = () => {
    pressed.current = null;
    setDragged(null);
  };
  const listeners = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      pressed.current = event;
      // A finger that moves scrolls the page.
      if (event.pointerType !== 'touch') (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const corner = cornerOf(event, event.currentTarget);
      crosshair.value = corner.time;
      const from = pressed.current;
      if (from === null || event.pointerType === 'touch') return;
      const moved = Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY);
      if (dragged || moved > DRAG_PIXELS) setDragged(markOf(cornerOf(from, event.currentTarget), corner));
    },
    onPointerUp: (event: PointerEvent) => {
      if (dragged) go(dragged, 'replace');
      else if (pressed.current) click?.(cornerOf(pressed.current, event.currentTarget));
      end();
    },
    onPointerCancel: end,
    onPointerLeave: () => {
      if (pressed.current === null) crosshair.value = null;
    },
  };
  return { dragged, listeners };
}
