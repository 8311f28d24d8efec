/** A panel of Grafana, with its size. */
export interface Panel {
  readonly size: { readonly w: number; readonly h: number };
  readonly [key: string]: unknown;
}

/** Gives panels a number and a place, from left to right and then down, in 24 columns. */
export function placePanels(panels: readonly Panel[]): object[] {
  let [x, y, bottom] = [0, 0, 0];
  return panels.map(({ size: { w, h }, ...panel }, index) => {
    if (x + w > 24) [x, y] = [0, bottom];
    const gridPos = { x, y, w, h };
    x += w;
    bottom = Math.max(bottom, y + h);
    return { id: index + 1, ...panel, gridPos };
  });
}
