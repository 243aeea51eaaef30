import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, UseGuards } from '@nestjs/common';
import {
  CreateProjectRequest,
  PageQuery,
  type ProjectList,
  type ProjectResource,
  RenameProjectRequest,
  SluiceError,
} from '@sluice/contracts';
import { MetadataDatabase, type Origin, type Project } from '@sluice/metadata';
import { type Request } from 'express';
import { ApiKeyGuard } from './api-key.guard.js';
import { Caller } from './caller.js';
import { announceCreated, createOptions } from './idempotency.js';
import { parseId } from './parse-id.js';

@Controller('api/v1/projects')
@UseGuards(ApiKeyGuard)
export class ProjectsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Post()
  async create(@Body() body: unknown, @Caller() origin: Origin, @Req() request: Request): Promise<ProjectResource> {
    const { name } = CreateProjectRequest.parse(body);
    const { id, isReplay } = await this.metadata.projects.create(name, createOptions(request, origin));
    announceCreated(request, `/api/v1/projects/${id}`, isReplay);
    return this.get(id);
  }

  @Get()
  async list(@Query() query: unknown): Promise<ProjectList> {
    const { items, nextCursor } = await this.metadata.projects.list({ ...PageQuery.parse(query), projects: 'all' });
    return { items: items.map(toResource), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<ProjectResource> {
    return toResource(found(id, await this.metadata.projects.find(parseId(id, 'project'))));
  }

  @Patch(':id')
  async rename(@Param('id') id: string, @Body() body: unknown, @Caller() origin: Origin): Promise<ProjectResource> {
    const { name } = RenameProjectRequest.parse(body);
    return toResource(found(id, await this.metadata.projects.rename(parseId(id, 'project'), name, origin)));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string, @Caller() origin: Origin): Promise<void> {
    found(id, await this.metadata.projects.remove(parseId(id, 'project'), origin));
  }
}

function found<Result>(id: string, result: Result | null | false): Result {
  if (result === null || result === false) throw new SluiceError('SLUICE-6002', { detail: `project ${id}` });
  return result;
}

function toResource({ id, name, isDefault, createdAt, updatedAt }: Project): ProjectResource {
  return { id, name, isDefault, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
