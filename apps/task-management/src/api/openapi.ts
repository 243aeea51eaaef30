import {
  CreateTaskRequest,
  DdlDecision,
  EndTaskRequest,
  NameCheck,
  NameCheckQuery,
  ProblemDocument,
  SourceRoleList,
  SourceRolesQuery,
  TaskResource,
  RateLimit,
  UserOptions,
} from '@sluice/contracts';
import { type TaskAction } from '@sluice/model';
import { AlarmList, AlarmListQuery } from './alarm-list.js';
import { ConflictList, ConflictListQuery } from './conflict-list.js';
import { ACCESS_SCHEMAS, accessPaths } from './openapi-access.js';
import { OBJECT_SCHEMAS, objectPaths } from './openapi-objects.js';
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
import { TaskList, TaskListQuery } from './task-list.js';

/** Named schemas of the API; requests as they are sent (`input`), answers as they are received. */
const SCHEMAS = {
  CreateTaskRequest: jsonSchema(CreateTaskRequest, 'input'),
  EndTaskRequest: jsonSchema(EndTaskRequest, 'input'),
  DdlDecision: jsonSchema(DdlDecision, 'input'),
  UserOptions: jsonSchema(UserOptions, 'input'),
  RateLimit: jsonSchema(RateLimit, 'input'),
  NameCheck: jsonSchema(NameCheck, 'output', { name: 'shop-move', isAvailable: false, reason: 'taken' }),
  Task: jsonSchema(TaskResource, 'output'),
  TaskList: jsonSchema(TaskList, 'output'),
  AlarmList: jsonSchema(AlarmList, 'output'),
  ConflictList: jsonSchema(ConflictList, 'output'),
  SourceRoleList: jsonSchema(SourceRoleList, 'output'),
  ...OBJECT_SCHEMAS,
  ...ACCESS_SCHEMAS,
  Problem: jsonSchema(ProblemDocument, 'output'),
};

const ACTION_SUMMARIES: Readonly<Record<Exclude<TaskAction, 'delete' | 'set_rate_limit'>, string>> = {
  start: 'Connection test, precheck, then the full load',
  pause: 'Stop reading and writing; the slot stays',
  resume: 'Go on where the task was paused',
  retry: 'Go on after a failure',
  end: 'Drain, then remove every helper object on both servers',
};

/** The OpenAPI 3.1 document, generated from the contracts. */
export function openApiDocument(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version: '1',
      description: 'Keeps one PostgreSQL database continuously identical to another.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ apiKey: [] }],
    paths: {
      ...taskPaths(),
      ...actionPaths(),
      ...ddlPaths(),
      ...eventPaths(),
      ...alarmPaths(),
      ...conflictPaths(),
      ...userPaths(),
      ...rateLimitPath(),
      ...objectPaths(),
      ...accessPaths(),
      ...openPaths(),
    },
    components: {
      schemas: SCHEMAS,
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
    },
  };
}

function taskPaths(): Json {
  return {
    '/tasks': {
      post: {
        ...operation('createTask', 'Create a task'),
        parameters: [IDEMPOTENCY],
        requestBody: { required: true, content: json('CreateTaskRequest') },
        responses: { 201: taskAnswer('The task'), ...problems(400, 404, 409, 413) },
      },
      get: {
        ...operation('listTasks', 'List tasks, newest first'),
        parameters: queryParameters(TaskListQuery),
        responses: { 200: answer('TaskList', 'A page'), ...problems(400) },
      },
    },
    '/tasks/name-check': {
      get: {
        ...operation('checkTaskName', 'Whether a task of this name could be created now'),
        parameters: queryParameters(NameCheckQuery),
        responses: { 200: answer('NameCheck', 'The outcome'), ...problems(400) },
      },
    },
    '/tasks/{id}': {
      parameters: [ID],
      get: {
        ...operation('getTask', 'Read a task'),
        responses: { 200: taskAnswer('The task'), ...problems(404) },
      },
      delete: {
        ...operation('deleteTask', 'Delete a task that is over, and its credentials'),
        parameters: [IF_MATCH],
        responses: { 204: { description: 'Deleted' }, ...problems(400, 404, 409, 412) },
      },
    },
  };
}

const IF_MATCH = {
  name: 'If-Match',
  in: 'header',
  schema: { type: 'string' },
  description: 'Only when the task still has this ETag; without it, whatever happened meanwhile.',
};

function taskAnswer(description: string): Json {
  const ETag = { schema: { type: 'string' }, description: 'The revision of the task, for If-Match.' };
  return { ...answer('Task', description), headers: { ETag } };
}

function actionPaths(): Json {
  const paths = Object.entries(ACTION_SUMMARIES).map(([action, summary]) => [
    `/tasks/{id}/${action}`,
    {
      parameters: [ID],
      post: {
        ...operation(`${action}Task`, summary),
        parameters: [IF_MATCH],
        ...(action === 'end' && { requestBody: { required: false, content: json('EndTaskRequest') } }),
        responses: { 200: taskAnswer('The task afterwards'), ...problems(400, 404, 409, 412) },
      },
    },
  ]);
  return Object.fromEntries(paths);
}

function ddlPaths(): Json {
  const post = {
    ...operation('decideDdl', 'Decide about the DDL that stopped the task; retry carries it out'),
    parameters: [IF_MATCH],
    requestBody: { required: true, content: json('DdlDecision') },
    responses: { 200: taskAnswer('The task'), ...problems(400, 404, 409, 412) },
  };
  return { '/tasks/{id}/ddl-decisions': { parameters: [ID], post } };
}

function eventPaths(): Json {
  const responses = {
    200: {
      description:
        'Events `task` (a Task as it is now), `state` (a change) and `progress` (live numbers), until closed.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    ...problems(404),
  };
  return {
    '/tasks/events': { get: { ...operation('followTasks', 'Follow all tasks live'), responses } },
    '/tasks/{id}/events': {
      parameters: [ID],
      get: { ...operation('followTask', 'Follow a task live'), responses },
    },
  };
}

function alarmPaths(): Json {
  const get = {
    ...operation('listAlarms', 'List alarms, newest first'),
    parameters: queryParameters(AlarmListQuery),
    responses: { 200: answer('AlarmList', 'A page'), ...problems(400) },
  };
  return { '/alarms': { get } };
}

function conflictPaths(): Json {
  const get = {
    ...operation('listConflicts', 'List conflicts of the incremental phase, newest first; rows with `rows=true`'),
    parameters: queryParameters(ConflictListQuery),
    responses: { 200: answer('ConflictList', 'A page'), ...problems(400, 404) },
  };
  return { '/tasks/{id}/conflicts': { parameters: [ID], get } };
}

function rateLimitPath(): Json {
  const put = {
    ...operation('setRateLimit', 'Limit how fast the full load may be, while it runs, too'),
    parameters: [IF_MATCH],
    requestBody: { required: true, content: json('RateLimit') },
    responses: { 200: taskAnswer('The task'), ...problems(400, 404, 409, 412) },
  };
  return { '/tasks/{id}/rate-limit': { parameters: [ID], put } };
}

function userPaths(): Json {
  const get = {
    ...operation('listSourceRoles', 'List the roles of the source, and why one cannot be synchronized'),
    parameters: queryParameters(SourceRolesQuery),
    responses: { 200: answer('SourceRoleList', 'A page, by name'), ...problems(400, 404, 422, 502, 503) },
  };
  const put = {
    ...operation('chooseUsers', 'Choose the roles that the task brings along, until it is started'),
    parameters: [IF_MATCH],
    requestBody: { required: true, content: json('UserOptions') },
    responses: { 200: taskAnswer('The task'), ...problems(400, 404, 409, 412) },
  };
  return {
    '/tasks/{id}/source-roles': { parameters: [ID], get },
    '/tasks/{id}/users': { parameters: [ID], put },
  };
}

function openPaths(): Json {
  const description = 'This document';
  const schema = { type: 'object' };
  const responses = { 200: { description, content: { 'application/json': { schema } } } };
  return { '/openapi.json': { get: { ...operation('readOpenApi', description), security: [], responses } } };
}
