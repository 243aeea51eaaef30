import {
  ApiKeyList,
  ApiKeyResource,
  AuditEventList,
  AuditQuery,
  CreateApiKeyRequest,
  CreatedApiKey,
  CreateProjectRequest,
  PageQuery,
  ProjectList,
  ProjectResource,
  RenameProjectRequest,
} from '@sluice/contracts';
import {
  answer,
  ID,
  IDEMPOTENCY,
  type Json,
  json,
  jsonSchema,
  operation,
  problems,
  queryParameters,
} from './openapi-parts.js';

const PROJECT = {
  id: '0b0f6f0e-6c1c-4f5e-9d0a-2f6a5c1f7e11',
  name: 'shop',
  isDefault: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};

const KEY = {
  id: '5d1f3a52-9a0e-4f3b-8f1c-7c1d2e3f4a5b',
  name: 'deploy pipeline',
  scope: { kind: 'projects', projects: [{ projectId: PROJECT.id, role: 'operator' }] },
  status: 'active',
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2027-01-01T00:00:00.000Z',
  lastUsedAt: null,
  revokedAt: null,
};
const { name, scope, expiresAt } = KEY;

const AUDIT_EVENT = {
  id: '42',
  at: '2026-01-01T00:00:00.000Z',
  actor: KEY.name,
  keyId: KEY.id,
  role: 'operator',
  action: 'pause',
  projectId: PROJECT.id,
  object: { kind: 'task', id: '3c5b8d9e-1f2a-4b3c-8d4e-5f6a7b8c9d0e', name: 'shop-move' },
  outcome: 'done',
  before: { state: 'incremental', epoch: 1, untilLsn: null },
  after: { state: 'paused', epoch: 1, untilLsn: null },
  address: '192.0.2.1',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
};

/** Named schemas of projects, keys and audit, each with an example. */
export const ACCESS_SCHEMAS = {
  CreateProjectRequest: jsonSchema(CreateProjectRequest, 'input', { name: 'shop' }),
  RenameProjectRequest: jsonSchema(RenameProjectRequest, 'input', { name: 'web shop' }),
  Project: jsonSchema(ProjectResource, 'output', PROJECT),
  ProjectList: jsonSchema(ProjectList, 'output', { items: [PROJECT], nextCursor: null }),
  CreateApiKeyRequest: jsonSchema(CreateApiKeyRequest, 'input', { name, scope, expiresAt }),
  ApiKey: jsonSchema(ApiKeyResource, 'output', KEY),
  CreatedApiKey: jsonSchema(CreatedApiKey, 'output', { ...KEY, secret: 'slk_…' }),
  AuditEventList: jsonSchema(AuditEventList, 'output', { items: [AUDIT_EVENT], nextCursor: null }),
  ApiKeyList: jsonSchema(ApiKeyList, 'output', { items: [KEY], nextCursor: null }),
};

export function accessPaths(): Json {
  return { ...projectPaths(), ...keyPaths(), ...auditPaths() };
}

function projectPaths(): Json {
  return {
    '/projects': {
      post: {
        ...operation('createProject', 'Create a project'),
        parameters: [IDEMPOTENCY],
        requestBody: { required: true, content: json('CreateProjectRequest') },
        responses: { 201: answer('Project', 'The project'), ...problems(400, 409) },
      },
      get: {
        ...operation('listProjects', 'List projects, newest first'),
        parameters: queryParameters(PageQuery),
        responses: { 200: answer('ProjectList', 'A page'), ...problems(400) },
      },
    },
    '/projects/{id}': {
      parameters: [ID],
      get: {
        ...operation('getProject', 'Read a project'),
        responses: { 200: answer('Project', 'The project'), ...problems(404) },
      },
      patch: {
        ...operation('renameProject', 'Rename a project'),
        requestBody: { required: true, content: json('RenameProjectRequest') },
        responses: { 200: answer('Project', 'The project afterwards'), ...problems(400, 404, 409) },
      },
      delete: {
        ...operation('deleteProject', 'Delete a project that has no tasks'),
        responses: { 204: { description: 'Deleted' }, ...problems(404, 409) },
      },
    },
  };
}

function keyPaths(): Json {
  return {
    '/api-keys': {
      post: {
        ...operation('createApiKey', 'Create an API key; its secret is shown this once'),
        parameters: [IDEMPOTENCY],
        requestBody: { required: true, content: json('CreateApiKeyRequest') },
        responses: { 201: answer('CreatedApiKey', 'The key with its secret'), ...problems(400, 404) },
      },
      get: {
        ...operation('listApiKeys', 'List the keys that the caller manages, newest first'),
        parameters: queryParameters(PageQuery),
        responses: { 200: answer('ApiKeyList', 'A page'), ...problems(400) },
      },
    },
    '/api-keys/{id}': {
      parameters: [ID],
      get: {
        ...operation('getApiKey', 'Read a key, without its secret'),
        responses: { 200: answer('ApiKey', 'The key'), ...problems(404) },
      },
    },
    '/api-keys/{id}/revoke': {
      parameters: [ID],
      post: {
        ...operation('revokeApiKey', 'Revoke a key for good; it stays in the list'),
        responses: { 200: answer('ApiKey', 'The key afterwards'), ...problems(404) },
      },
    },
  };
}

function auditPaths(): Json {
  const get = {
    ...operation('listAuditEvents', 'List calls that changed something or were refused, newest first'),
    parameters: queryParameters(AuditQuery),
    responses: { 200: answer('AuditEventList', 'A page'), ...problems(400) },
  };
  return { '/audit-events': { get } };
}
