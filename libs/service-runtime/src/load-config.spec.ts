import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';
import { BaseConfig, ConfigError, killPointSetting, loadConfig, workerName } from './load-config.js';

const KEY = randomBytes(32).toString('base64');
const SpecConfig = BaseConfig.extend({ SPEC_LIMIT: z.coerce.number().int().min(1).default(7) });

describe('loadConfig', () => {
  it('fills in defaults and hides secrets', () => {
    const config = loadConfig(SpecConfig, { SLUICE_BUS_KEY: KEY, SLUICE_HTTP_PORT: '' });
    expect(config).toMatchObject({ SLUICE_HTTP_PORT: 0, SLUICE_HTTP_HOST: '127.0.0.1', SPEC_LIMIT: 7 });
    expect(inspect(config) + JSON.stringify(config)).not.toContain(KEY);
    expect(config.SLUICE_BUS_KEY.reveal()).toBe(KEY);
  });

  it('names every variable that is wrong, without its value', () => {
    const environment = { SLUICE_HTTP_PORT: 'eighty', SLUICE_BUS_KEY: 'c2hvcnQ=', SPEC_LIMIT: '0' };
    const load = (): unknown => loadConfig(SpecConfig, environment);
    expect(load).toThrow(ConfigError);
    for (const name of Object.keys(environment)) expect(load).toThrow(name);
    expect(load).not.toThrow('c2hvcnQ=');
  });

  it('reads a value from the file that is named', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'sluice-config-')), 'key');
    writeFileSync(file, `${KEY}\n`);
    expect(loadConfig(SpecConfig, { SLUICE_BUS_KEY_FILE: file }).SLUICE_BUS_KEY.reveal()).toBe(KEY);
    expect(() => loadConfig(SpecConfig, { SLUICE_BUS_KEY_FILE: `${file}.gone` })).toThrow('SLUICE_BUS_KEY_FILE');
  });
});

it('names a worker after its service', () => {
  expect(workerName('capture', {})).toMatch(/^capture-[0-9a-f]{4}$/);
  expect(workerName('capture', { SLUICE_WORKER_NAME: 'left' })).toBe('left');
});

it.each([
  [undefined, null],
  ['apply.before-ack', { name: 'apply.before-ack', arrival: 1 }],
  ['apply.before-ack:3', { name: 'apply.before-ack', arrival: 3 }],
])('understands the kill point %s', (text, expected) => {
  expect(killPointSetting({ SLUICE_KILL_POINT: text })).toEqual(expected);
});
