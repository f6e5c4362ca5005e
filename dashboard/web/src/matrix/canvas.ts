// A canvas that is as large as what is seen, and is painted at most once a frame.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { Size } from './layout.ts';

/** The size of what is seen of an element, as it changes. */
export function useSize(box: { current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const known = useRef(size);
  const observed = useRef<HTMLElement | null>(null);
  const observer = useRef<ResizeObserver | null>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === observed.current) return;
    observer.current?.disconnect();
    observed.current = element;
    if (!element) return;
    const read = () => {
      const { clientWidth: width, clientHeight: height } = element;
      if (known.current.width === width && known.current.height === height) return;
      known.current = { width, height };
      setSize(known.current);
    };
    observer.current = new ResizeObserver(read);
    observer.current.observe(element);
    read();
  });
  useEffect(() => () => observer.current?.disconnect(), []);
  return size;
}

/** The latest `paint`, at most once a frame. */
export function useFrame(paint: () => void): () => void {
  const latest = useRef(paint);
  latest.current = paint;
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return useMemo(
    () => () => {
      cancelAnimationFrame(frame.current);
      frame.current = requestAnimationFrame(() => latest.current());
    },
    [],
  );
}

/** Gives a canvas as many pixels as the screen has for it. */
export function fit(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D, { width, height }: Size): void {
  const ratio = devicePixelRatio;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}
