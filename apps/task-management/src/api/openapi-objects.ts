import {
  CatalogObjectList,
  CatalogObjectsQuery,
  CatalogQuery,
  CatalogSchemaList,
  ClosureRequest,
  ObjectSelection,
  SelectionClosure,
} from '@sluice/contracts';
import { LIST_FORMATS, MEDIA_TYPES } from '../object-list/object-list-formats.js';
import { answer, ID, type Json, json, jsonSchema, operation, problems, queryParameters } from './openapi-parts.js';
import { ExportQuery } from './task-objects.controller.js';

const SELECTION = {
  level: 'table',
  objects: [
    { kind: 'schema', schema: 'sales' },
    { kind: 'table', schema: 'public', name: 'customers' },
  ],
  include: ['crm.*'],
  exclude: ['*.tmp_*', '"odd.schema"."a*b"'],
};

const ORDERS = { kind: 'table', schema: 'sales', name: 'orders' };

/** Named schemas of catalogues and selections, each with an example. */
export const OBJECT_SCHEMAS = {
  ObjectSelection: jsonSchema(ObjectSelection, 'input', SELECTION),
  CatalogSchemaList: jsonSchema(CatalogSchemaList, 'output', {
    items: [{ schema: 'sales', counts: { table: 12, view: 3 } }],
    nextCursor: null,
  }),
  CatalogObjectList: jsonSchema(CatalogObjectList, 'output', {
    items: [{ ...ORDERS, rowEstimate: 120_000, bytes: 16_777_216, partitionOf: null }],
    nextCursor: null,
  }),
  ClosureRequest: jsonSchema(ClosureRequest, 'input', { objects: SELECTION }),
  SelectionClosure: jsonSchema(SelectionClosure, 'output', {
    isClosed: false,
    missing: [{ ...ORDERS, neededBy: 'view "public"."open_orders"' }],
    proposal: { objects: [ORDERS], include: ['sales.orders'] },
    brought: [{ kind: 'type', schema: 'sales', name: 'state' }],
    extensions: [],
    isCut: false,
  }),
};

export function objectPaths(): Json {
  return { ...catalogPaths(), ...selectionPaths(), ...listPaths() };
}

function catalogPaths(): Json {
  return {
    '/tasks/{id}/catalog': {
      parameters: [ID],
      get: {
        ...operation(
          'browseSchemas',
          'Schemas of the source, read now, with how many objects of each kind are in them',
        ),
        parameters: queryParameters(CatalogQuery),
        responses: { 200: answer('CatalogSchemaList', 'A page'), ...problems(400, 404, 422, 503) },
      },
    },
    '/tasks/{id}/catalog/objects': {
      parameters: [ID],
      get: {
        ...operation('browseObjects', 'Objects of the source, read now: of a schema, of a kind, or found among all'),
        parameters: queryParameters(CatalogObjectsQuery),
        responses: { 200: answer('CatalogObjectList', 'A page'), ...problems(400, 404, 422, 503) },
      },
    },
    '/tasks/{id}/catalog/closure': {
      parameters: [ID],
      post: {
        ...operation(
          'proposeClosure',
          'What a selection, or that of the task, needs besides, and how it would be closed',
        ),
        requestBody: { required: false, content: json('ClosureRequest') },
        responses: { 200: answer('SelectionClosure', 'What it needs'), ...problems(400, 404, 422, 503) },
      },
    },
  };
}

function selectionPaths(): Json {
  return {
    '/tasks/{id}/objects': {
      parameters: [ID],
      get: {
        ...operation('getObjects', 'Which objects belong to the task'),
        responses: { 200: answer('ObjectSelection', 'The selection'), ...problems(404) },
      },
      put: {
        ...operation('chooseObjects', 'Choose the objects of a task that has not begun'),
        requestBody: { required: true, content: json('ObjectSelection') },
        responses: { 200: answer('ObjectSelection', 'The selection'), ...problems(400, 404, 409, 412) },
      },
    },
  };
}

function listPaths(): Json {
  const file = { schema: { type: 'string', format: 'binary' } };
  const content = Object.fromEntries(LIST_FORMATS.map((format) => [MEDIA_TYPES[format], file]));
  return {
    '/tasks/{id}/objects/export': {
      parameters: [ID],
      get: {
        ...operation('exportObjects', 'The listed objects as a file: schema.name, name on the target, kind'),
        parameters: queryParameters(ExportQuery),
        responses: { 200: { description: 'The file', content }, ...problems(400, 404) },
      },
    },
    '/tasks/{id}/objects/import': {
      parameters: [ID],
      post: {
        ...operation(
          'importObjects',
          'List the objects of a file; every wrong line is named, and then nothing is taken',
        ),
        requestBody: { required: true, content },
        responses: { 200: answer('ObjectSelection', 'The selection'), ...problems(400, 404, 409, 412, 413) },
      },
    },
  };
}
