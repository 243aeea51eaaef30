import { medianOf, type SystemResult } from './measurement.js';

const SECONDS = 'seconds';
const NOTHING = '—';

/** The results of a case with that many times the work. */
export interface GrowthStep {
  readonly factor: number;
  readonly results: readonly SystemResult[];
}

/** Every thing measured of every system, with the ratio of our median to its: below 1.00 means less than it. */
export function formatResults(title: string, results: readonly SystemResult[]): string {
  const figures = [SECONDS, ...new Set(results.flatMap((result) => Object.keys(result.figures)))];
  const rows = figures.flatMap((figure) => formatFigure(figure, results));
  const failed = results.flatMap(({ name, missing }) =>
    missing === undefined ? [] : [`no result of ${name}: ${missing}`],
  );
  const head = ['measured', 'system', 'median', 'min', 'max', 'sluice / it'];
  return [title, '', formatTable([head, ...rows], { textColumns: 2 }), ...failed].join('\n');
}

/** Systems without it have no row. */
function formatFigure(figure: string, results: readonly SystemResult[]): string[][] {
  const ours = medianOf(
    valuesOf(
      results.find(({ name }) => name === 'sluice'),
      figure,
    ),
  );
  return results.flatMap((result) => {
    const values = valuesOf(result, figure);
    const median = medianOf(values);
    if (median === null) return [];
    const ratio = ours === null || median === 0 ? NOTHING : (ours / median).toFixed(2);
    const numbers = [median, Math.min(...values), Math.max(...values)].map((value) => value.toFixed(2));
    return [[figure, result.name, ...numbers, ratio]];
  });
}

function valuesOf(result: SystemResult | undefined, figure: string): readonly number[] {
  if (!result) return [];
  return figure === SECONDS ? result.runs : (result.figures[figure] ?? []);
}

/** Median of each system's time, or of its figures, at each amount of work. */
export function formatGrowth(caseName: string, steps: readonly GrowthStep[]): string {
  const last = steps.at(-1)?.results ?? [];
  const rows = last.flatMap(({ name, medianSeconds, figures }) => {
    const measured = medianSeconds === null ? Object.keys(figures) : [SECONDS];
    return measured.map((figure) => {
      const medians = steps.map(({ results }) =>
        medianOf(
          valuesOf(
            results.find((each) => each.name === name),
            figure,
          ),
        ),
      );
      return [`${name}, ${figure}`, ...medians.map((median) => median?.toFixed(2) ?? NOTHING)];
    });
  });
  const head = ['median of', ...steps.map(({ factor }) => `${factor}×`)];
  return `${caseName}: how it grows with the work\n${formatTable([head, ...rows])}`;
}

/** Text to the left, numbers to the right. */
export function formatTable(
  table: readonly (readonly string[])[],
  { textColumns = 1 }: { readonly textColumns?: number } = {},
): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const align = (cell: string, column: number): string =>
    column < textColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return table.map((row) => row.map(align).join('  ')).join('\n');
}
