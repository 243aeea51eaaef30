import { type SystemResult } from './measurement.js';

/** A table with the ratio of each system's median to ours, so that below 1.00 means faster than Sluice. */
export function formatResults(title: string, results: readonly SystemResult[]): string {
  const ours = results.find(({ name }) => name === 'sluice')?.medianSeconds ?? null;
  const rows = results.map(({ name, runs, medianSeconds, missing }) => {
    if (medianSeconds === null) return [name, '—', '—', '—', missing ?? 'no run'];
    const ratio = ours === null ? '—' : (ours / medianSeconds).toFixed(2);
    return [name, medianSeconds.toFixed(2), Math.min(...runs).toFixed(2), Math.max(...runs).toFixed(2), ratio];
  });
  const table = [['system', 'median s', 'min s', 'max s', 'sluice / it'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  return [title, ...lines].join('\n');
}

export function resultsAsJson(results: readonly SystemResult[]): string {
  return JSON.stringify({ results });
}
