import { describe, expect, it } from '@jest/globals';
import { TASK_STATES } from '@sluice/model';
import { z } from 'zod';
import { asyncApiDocument } from './asyncapi.js';
import { configurationPage } from './configuration-page.js';
import { errorsPage } from './errors-page.js';
import { markdownTable } from './markdown.js';
import { stateTablePage } from './state-table-page.js';

describe('generated pages', () => {
  it('keep a table whole when a cell has bars and line breaks', () => {
    expect(markdownTable(['a'], [['x | y\n  z']])).toBe('| a |\n| --- |\n| x \\| y z |');
  });

  it('name every state, and the way from start to incremental', () => {
    const text = stateTablePage();
    for (const state of TASK_STATES) expect(text).toContain(`| \`${state}\` |`);
    expect(text).toContain(
      '| `starting` | precheck | succeeded | **full_load** (run full-load); or **start_failed** |',
    );
  });

  it('name every code with its remedy', () => {
    expect(errorsPage()).toMatch(/`SLUICE-6003` \| Action not allowed in this state \| 409 \| no \|/);
  });

  it('say once what most services share, and with a service what it has of its own', () => {
    const shared = { PORT: z.coerce.number().default(0).describe('Where it listens.') };
    const one = z.object({ ...shared, KEY: z.string().describe('A key.') });
    const schemas = { one, two: z.object(shared), three: z.object({ PORT: shared.PORT.default(8080) }) };
    const text = configurationPage(Object.entries(schemas).map(([name, schema]) => ({ name, schema })));
    expect(text.match(/`PORT`/g)).toHaveLength(2);
    expect(text).toMatch(/## one\n\n.*\n.*\n\| `KEY` \| \*\*required\*\* \|/);
    expect(text).toMatch(/## three\n\n.*\n.*\n\| `PORT` \| `8080` \|/);
    expect(text).not.toContain('## two');
  });

  it('describe every subject of the contracts', () => {
    expect(asyncApiDocument()).toMatchObject({
      channels: { stageRuns: { address: 'sluice.v1.run.*.*' }, taskEvents: { address: 'sluice.v1.event.task.*' } },
    });
  });
});
