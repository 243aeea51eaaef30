import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  CatalogObjectsQuery,
  type CatalogObjectList,
  CatalogQuery,
  type CatalogSchemaList,
  ClosureRequest,
  type SelectionClosure,
} from '@sluice/contracts';
import { Audits } from '../access/audits.js';
import { Requires } from '../access/requires.js';
import { SourceCatalog } from '../source-catalog.js';
import { TaskObjects } from '../task-objects.js';
import { formatCursor, parseCursor } from './catalog-cursor.js';

/** What the source of a task holds, read anew with every call. */
@Controller('api/v1/tasks/:id/catalog')
export class CatalogController {
  constructor(
    private readonly catalog: SourceCatalog,
    private readonly objects: TaskObjects,
  ) {}

  @Get()
  @Requires({ of: 'task', role: 'viewer' })
  async schemas(@Param('id') taskId: string, @Query() query: unknown): Promise<CatalogSchemaList> {
    const { limit, cursor } = CatalogQuery.parse(query);
    const after = parseCursor(cursor);
    const { items, next } = await this.catalog.look(taskId, { look: 'schemas', limit, after });
    return { items, nextCursor: formatCursor(next) };
  }

  @Get('objects')
  @Requires({ of: 'task', role: 'viewer' })
  async list(@Param('id') taskId: string, @Query() query: unknown): Promise<CatalogObjectList> {
    const { limit, cursor, ...filter } = CatalogObjectsQuery.parse(query);
    const after = parseCursor(cursor);
    const { items, next } = await this.catalog.look(taskId, { look: 'objects', limit, after, ...filter });
    return { items, nextCursor: formatCursor(next) };
  }

  /** What a selection would need: the one in the body, or that of the task. */
  @Post('closure')
  @Requires({ of: 'task', role: 'viewer' })
  @Audits({ kind: 'task', action: 'check objects' })
  @HttpCode(200)
  async closure(@Param('id') taskId: string, @Body() body: unknown): Promise<SelectionClosure> {
    const selection = ClosureRequest.parse(body).objects ?? (await this.objects.get(taskId));
    const { closure } = await this.catalog.look(taskId, { look: 'closure', selection });
    return closure;
  }
}
