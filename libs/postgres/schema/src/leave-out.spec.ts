import { describe, expect, it } from '@jest/globals';
import { type DependencyEdge } from './dependencies.js';
import { type LeftOut, leaveOut } from './leave-out.js';
import { type ObjectKey, type SchemaObject } from './schema-object.js';

const object = (key: ObjectKey, more: Partial<SchemaObject> = {}): SchemaObject => ({
  key,
  kind: 'thing',
  address: `THING ${key}`,
  stage: 'pre',
  sql: `create ${key}`,
  ...more,
});
const edge = (from: ObjectKey, to: ObjectKey, type: DependencyEdge['type'] = 'n'): DependencyEdge => ({
  from,
  to,
  type,
});
const seed = (key: ObjectKey): LeftOut => ({ key, kind: 'seed', identity: `seed ${key}`, reason: 'it cannot be' });
const keysOf = (objects: readonly SchemaObject[]): ObjectKey[] => objects.map(({ key }) => key);

describe('leaveOut', () => {
  it('takes all that needs what cannot be created, and names each once with what it needs', () => {
    const objects = [object('a:1'), object('a:2'), object('a:3'), object('b:1', { needs: ['a:2'] })];
    const { objects: left, unsupported } = leaveOut(objects, [edge('a:2', 'a:1'), edge('a:1', 'x:9')], [seed('x:9')]);
    expect(keysOf(left)).toEqual(['a:3']);
    expect(unsupported).toEqual([
      { kind: 'seed', identity: 'seed x:9', reason: 'it cannot be' },
      { kind: 'thing', identity: 'thing a:1', reason: 'it needs seed x:9, which is left out' },
      { kind: 'thing', identity: 'thing a:2', reason: 'it needs seed x:9, which is left out' },
      { kind: 'thing', identity: 'thing b:1', reason: 'it needs seed x:9, which is left out' },
    ]);
  });

  it('takes the whole with a part that comes with it, such as a view with its rule', () => {
    const { objects: left } = leaveOut(
      [object('view:1')],
      [edge('rule:1', 'view:1', 'i'), edge('rule:1', 'f:1')],
      [seed('f:1')],
    );
    expect(left).toEqual([]);
  });

  it('leaves a default or check out of its table, which stays', () => {
    const table = object('table:1', {
      parts: [{ key: 'default:1', kind: 'default', identity: 'default of "t"."a"', sql: 'set' }],
      sqlWithout: (detached) => (detached.has('default:1') ? 'create without' : 'create with'),
    });
    const { objects: left, unsupported } = leaveOut(
      [table],
      [edge('default:1', 'f:1'), edge('default:1', 'table:1', 'a')],
      [seed('f:1')],
    );
    expect(left).toMatchObject([{ key: 'table:1', sql: 'create without', parts: [] }]);
    expect(left[0]?.sqlWithout?.(new Set())).toBe('create without');
    expect(unsupported.map(({ identity }) => identity)).toEqual(['seed f:1', 'default of "t"."a"']);
  });
});
