import { describe, expect, it } from '@jest/globals';
import { Secret } from '@sluice/kernel';
import { createLogger, type LoggerOptions } from './logger.js';

function logged(write: (log: ReturnType<typeof createLogger>) => void, options: Partial<LoggerOptions> = {}): string[] {
  const lines: string[] = [];
  write(createLogger({ service: 'spec', destination: { write: (line) => void lines.push(line) }, ...options }));
  return lines;
}

describe('createLogger', () => {
  it('writes the fixed fields', () => {
    const [line = ''] = logged((log) =>
      log.child({ task_id: 'a', stage: 'apply' }).info({ table: 'shop.orders' }, 'done'),
    );
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      service: 'spec',
      task_id: 'a',
      stage: 'apply',
      table: 'shop.orders',
      msg: 'done',
    });
  });

  it('writes of an error its code and causes, and none of the rows that a server quotes', () => {
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (email)=(ann@x.org) exists.',
    });
    const error = Object.assign(new Error('write failed', { cause }), { code: 'SLUICE-5001', where: 'COPY ann@x.org' });
    const [line = ''] = logged((log) => log.error({ err: error }, 'failed'));
    expect(line).not.toContain('ann@x.org');
    expect(JSON.parse(line)).toMatchObject({
      'error.code': 'SLUICE-5001',
      err: { message: 'write failed', cause: { code: '23505', message: 'duplicate key' } },
    });
  });

  it('prints no secret', () => {
    const [line = ''] = logged((log) => log.info({ config: { password: new Secret('hunter2') } }, 'started'));
    expect(line).not.toContain('hunter2');
    expect(line).toContain('[redacted]');
  });

  it('keeps quiet below its level', () => {
    expect(logged((log) => log.info('x'), { level: 'warn' })).toEqual([]);
  });
});
