import { BadRequestException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { EndpointInput, SluiceError } from '@sluice/contracts';
import { ActionRefusedError } from '../action-refused-error.js';
import { toProblem } from './problem.js';

describe('toProblem', () => {
  it('shows a catalogued error with its status, remedy and trace', () => {
    expect(toProblem(new SluiceError('SLUICE-6004', { detail: 'a task named x exists' }), 'abc')).toEqual({
      type: 'urn:sluice:error:SLUICE-6004',
      title: 'Name is taken',
      status: 409,
      detail: 'a task named x exists',
      code: 'SLUICE-6004',
      remedy: 'Choose another name.',
      traceId: 'abc',
    });
  });

  it('names the allowed actions with a refusal', () => {
    const refusal = new ActionRefusedError('start', { state: 'paused', why: 'the task is paused; resume it' });
    expect(toProblem(refusal, null)).toMatchObject({
      status: 409,
      allowedActions: ['resume', 'set_rate_limit', 'end'],
    });
  });

  it('names the paths of an invalid request and repeats no value', () => {
    const { error } = EndpointInput.safeParse({ host: '', port: 'geheim', password: { geheim: 1 } });
    const problem = toProblem(error, null);
    expect(problem.errors?.map(({ path }) => path)).toEqual(['host', 'port', 'database', 'user', 'password']);
    expect(JSON.stringify(problem)).not.toContain('geheim');
  });

  it.each([
    [new NotFoundException('Cannot GET /x'), 404, 'SLUICE-6002'],
    [new BadRequestException('Unexpected token geheim'), 400, 'SLUICE-6001'],
    [Object.assign(new Error('request entity too large'), { status: 413 }), 413, 'SLUICE-6007'],
    [new Error('geheim'), 500, 'SLUICE-9001'],
    ['geheim', 500, 'SLUICE-9001'],
  ])('maps what is not ours: %s', (error, status, code) => {
    const problem = toProblem(error, null);
    expect(problem).toMatchObject({ status, code });
    expect(JSON.stringify(problem)).not.toContain('geheim');
  });
});
