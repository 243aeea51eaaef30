import { medianOf, type SystemResult } from './measurement.js';

const SECONDS = 'seconds';
const NOTHING = '—';

/** The results of a case with that many times the work. */
export interface GrowthStep {
  readonly factor: number;
  readonly results: readonly SystemResult[];
}

/** One table per thing measured, with the ratio of our median to each system's: below 1.00 means less than theirs. */
export function formatResults(title: string, results: readonly SystemResult[]): string {
  const figures = [...new Set(results.flatMap((result) => Object.keys(result.figures)))];
  const isTimed = results.some(({ medianSeconds }) => medianSeconds !== null);
  const measured = [...(isTimed || figures.length === 0 ? [SECONDS] : []), ...figures];
  return [title, ...measured.map((name) => formatFigure(name, results))].join('\n\n');
}

function formatFigure(figure: string, results: readonly SystemResult[]): string {
  const ours = medianOf(
    valuesOf(
      results.find(({ name }) => name === 'sluice'),
      figure,
    ),
  );
  const rows = results.map((result) => {
    const values = valuesOf(result, figure);
    const median = medianOf(values);
    if (median === null) return [result.name, NOTHING, NOTHING, NOTHING, result.missing ?? NOTHING];
    const ratio = ours === null || median === 0 ? NOTHING : (ours / median).toFixed(2);
    return [result.name, median.toFixed(2), Math.min(...values).toFixed(2), Math.max(...values).toFixed(2), ratio];
  });
  return formatTable([[figure, 'median', 'min', 'max', 'sluice / it'], ...rows]);
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

/** The first column to the left, the others to the right but for a trailing remark. */
export function formatTable(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, column) =>
    column === 4 ? 0 : Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
