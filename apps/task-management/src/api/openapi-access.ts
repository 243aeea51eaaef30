import { CreateProjectRequest, PageQuery, ProjectList, ProjectResource, RenameProjectRequest } from '@sluice/contracts';
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

/** Named schemas of projects, each with an example. */
export const ACCESS_SCHEMAS = {
  CreateProjectRequest: jsonSchema(CreateProjectRequest, 'input', { name: 'shop' }),
  RenameProjectRequest: jsonSchema(RenameProjectRequest, 'input', { name: 'web shop' }),
  Project: jsonSchema(ProjectResource, 'output', PROJECT),
  ProjectList: jsonSchema(ProjectList, 'output', { items: [PROJECT], nextCursor: null }),
};

export function accessPaths(): Json {
  return { ...projectPaths() };
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
