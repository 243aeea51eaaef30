import { describe, expect, it } from '@jest/globals';
import { dedicatedServer } from '@sluice/testing';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runOneCheck } from '../run-one-check.js';
import { sourceNotStandby } from './source-not-standby.js';
import { targetWritable } from './target-writable.js';

describe('on a server that is a primary first and a standby then', () => {
  it('source-not-standby and target-writable pass, then fail', async () => {
    await using server = await dedicatedServer();
    const endpoint = server.endpoint('postgres');
    const outcomes = async (): Promise<string[]> => {
      const endpoints = { source: endpoint, target: endpoint };
      const reports = [await runOneCheck(sourceNotStandby, endpoints), await runOneCheck(targetWritable, endpoints)];
      return reports.map(({ outcome }) => outcome);
    };
    expect(await outcomes()).toEqual(['passed', 'passed']);
    await writeFile(path.join(server.dataDir, 'standby.signal'), '');
    await server.restart();
    expect(await outcomes()).toEqual(['failed', 'failed']);
  });
});
