import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common';
import {
  CreateProjectRequest,
  PageQuery,
  type ProjectList,
  type ProjectResource,
  RenameProjectRequest,
} from '@sluice/contracts';
import { MetadataDatabase, type Origin, type Project } from '@sluice/metadata';
import { type Request } from 'express';
import { Audits } from '../access/audits.js';
import { Caller, type Grant, Granted, notFound } from '../access/granted.js';
import { Requires } from '../access/requires.js';
import { announceCreated, createOptions } from './idempotency.js';
import { parseId } from './parse-id.js';

@Controller('api/v1/projects')
export class ProjectsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Post()
  @Requires({ of: 'deployment' })
  @Audits({ kind: 'project', action: 'create' })
  async create(@Body() body: unknown, @Caller() origin: Origin, @Req() request: Request): Promise<ProjectResource> {
    const { name } = CreateProjectRequest.parse(body);
    const { id, isReplay } = await this.metadata.projects.create(name, createOptions(request, origin));
    announceCreated(request, `/api/v1/projects/${id}`, isReplay);
    return this.get(id);
  }

  @Get()
  @Requires({ of: 'any-project', role: 'viewer' })
  async list(@Query() query: unknown, @Granted() { projects }: Grant): Promise<ProjectList> {
    const { items, nextCursor } = await this.metadata.projects.list({ ...PageQuery.parse(query), projects });
    return { items: items.map(toResource), nextCursor };
  }

  @Get(':id')
  @Requires({ of: 'project', role: 'viewer' })
  async get(@Param('id') id: string): Promise<ProjectResource> {
    return toResource(found(id, await this.metadata.projects.find(id)));
  }

  @Patch(':id')
  @Requires({ of: 'project', role: 'admin' })
  @Audits({ kind: 'project', action: 'rename' })
  async rename(@Param('id') id: string, @Body() body: unknown, @Caller() origin: Origin): Promise<ProjectResource> {
    const { name } = RenameProjectRequest.parse(body);
    return toResource(found(id, await this.metadata.projects.rename(id, name, origin)));
  }

  @Delete(':id')
  @Requires({ of: 'deployment' })
  @HttpCode(204)
  @Audits({ kind: 'project', action: 'delete' })
  async remove(@Param('id') id: string, @Caller() origin: Origin): Promise<void> {
    found(id, await this.metadata.projects.remove(parseId(id, 'project'), origin));
  }
}

function found<Result>(id: string, result: Result | null | false): Result {
  if (result === null || result === false) throw notFound('project', id);
  return result;
}

function toResource({ id, name, isDefault, createdAt, updatedAt }: Project): ProjectResource {
  return { id, name, isDefault, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
