import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDataDirectory } from './data-directory.js';

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'sluice-directory-spec-'));
});
afterEach(() => rm(parent, { recursive: true }));

describe('the data directory', () => {
  it('is gone with a run that keeps nothing', async () => {
    const directory = await openDataDirectory(null);
    expect(existsSync(directory.logDir)).toBe(true);
    await directory[Symbol.asyncDispose]();
    expect(existsSync(directory.path)).toBe(false);
  });

  it('gives the same keys and ports when it is kept and opened again', async () => {
    const keepDir = path.join(parent, 'new', 'folder');
    const first = await openDataDirectory(keepDir);
    await first.rememberSamplePorts({ source: 5001, target: 5002 });
    await first[Symbol.asyncDispose]();
    const second = await openDataDirectory(keepDir);
    expect(second.installation).toEqual({ ...first.installation, samplePorts: { source: 5001, target: 5002 } });
    expect(statSync(path.join(keepDir, 'installation.json')).mode & 0o077).toBe(0);
  });

  it('says what is wrong when the path is a file or holds something else', async () => {
    const file = path.join(parent, 'file');
    await writeFile(file, '');
    await expect(openDataDirectory(file)).rejects.toMatchObject({ code: 'SLUICE-8001' });
    await writeFile(path.join(parent, 'installation.json'), '{}');
    await expect(openDataDirectory(parent)).rejects.toMatchObject({ code: 'SLUICE-8001' });
  });
});
