import { describe, expect, it } from '@jest/globals';
import { type DependencyEdge } from './dependencies.js';
import { orderObjects } from './dependency-order.js';
import { type ObjectKey, type SchemaObject, type Stage } from './schema-object.js';

const object = (key: ObjectKey, more: Partial<SchemaObject> = {}): SchemaObject => ({
  key,
  kind: 'thing',
  address: `THING ${key}`,
  stage: 'pre',
  sql: `create ${key}`,
  ...more,
});
const needs = (from: ObjectKey, to: ObjectKey, type: DependencyEdge['type'] = 'n'): DependencyEdge => ({
  from,
  to,
  type,
});
const sqlOf = (objects: readonly SchemaObject[]): string[] => objects.map(({ sql }) => sql);

describe('orderObjects', () => {
  it('puts what is needed first and keeps the given order otherwise', () => {
    const objects = [object('a:1'), object('a:2'), object('a:3')];
    expect(sqlOf(orderObjects(objects, [needs('a:1', 'a:3')]).early)).toEqual([
      'create a:3',
      'create a:1',
      'create a:2',
    ]);
  });

  it('follows parts to what they belong to', () => {
    const edges = [needs('x:9', 'a:2', 'i'), needs('x:8', 'x:9', 'i'), needs('a:1', 'x:8')];
    expect(sqlOf(orderObjects([object('a:1'), object('a:2')], edges).early)).toEqual(['create a:2', 'create a:1']);
  });

  it('takes a default out of its table when it closes a ring', () => {
    const table = object('t:1', {
      kind: 'table',
      sql: 'table with default',
      sqlWithout: () => 'table',
      parts: [{ key: 'd:1', kind: 'default', identity: 'default', sql: 'add default' }],
    });
    const edges = [needs('d:1', 't:1', 'a'), needs('d:1', 'f:1'), needs('f:1', 't:1')];
    expect(sqlOf(orderObjects([table, object('f:1', { sql: 'function' })], edges).early)).toEqual([
      'table',
      'function',
      'add default',
    ]);
  });

  it('opens a ring without such parts by a stub', () => {
    const view = object('v:1', { sql: 'view', stub: 'view of nulls' });
    const edges = [needs('v:1', 'f:1'), needs('f:1', 'v:1')];
    expect(sqlOf(orderObjects([view, object('f:1', { sql: 'function' })], edges).early)).toEqual([
      'view of nulls',
      'function',
      'view',
    ]);
  });

  it('gives up on a ring that nothing opens, and still lists every object', () => {
    const edges = [needs('a:1', 'a:2'), needs('a:2', 'a:1')];
    expect(sqlOf(orderObjects([object('a:1'), object('a:2')], edges).early).toSorted()).toEqual([
      'create a:1',
      'create a:2',
    ]);
  });

  it('moves what needs a key, and all that stands on it, behind the keys', () => {
    const stage: Stage = 'constraint';
    const objects = [object('v:2'), object('v:1'), object('k:1', { stage }), object('a:1')];
    const { early, late } = orderObjects(objects, [needs('v:1', 'k:1'), needs('v:2', 'v:1')]);
    expect([sqlOf(early), sqlOf(late)]).toEqual([['create a:1'], ['create v:1', 'create v:2']]);
  });

  it('ignores that a sequence belongs to a column', () => {
    const sequence = object('s:1', { kind: 'sequence' });
    expect(
      sqlOf(orderObjects([sequence, object('t:1')], [needs('s:1', 't:1', 'a'), needs('t:1', 's:1')]).early),
    ).toEqual(['create s:1', 'create t:1']);
  });
});
