import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Req, StreamableFile } from '@nestjs/common';
import { ObjectSelection, SluiceError } from '@sluice/contracts';
import { type Request } from 'express';
import { z } from 'zod';
import { Audits } from '../access/audits.js';
import { Requires } from '../access/requires.js';
import { formatOf, LIST_FORMATS, MEDIA_TYPES } from '../object-list/object-list-formats.js';
import { exportObjects, importObjects } from '../object-list/import-export.js';
import { TaskObjects } from '../task-objects.js';
import { ConditionalCaller, type ConditionalOrigin } from './conditional.js';

/** Query of `GET /tasks/{id}/objects/export`. */
export const ExportQuery = z.strictObject({ format: z.enum(LIST_FORMATS).default('csv') });

/** Which objects belong to a task. */
@Controller('api/v1/tasks/:id/objects')
export class TaskObjectsController {
  constructor(private readonly objects: TaskObjects) {}

  @Get()
  @Requires({ of: 'task', role: 'viewer' })
  get(@Param('id') id: string): Promise<ObjectSelection> {
    return this.objects.get(id);
  }

  @Put()
  @Requires({ of: 'task', role: 'operator' })
  @Audits({ kind: 'task', action: 'choose objects' })
  replace(
    @Param('id') id: string,
    @Body() body: unknown,
    @ConditionalCaller() by: ConditionalOrigin,
  ): Promise<ObjectSelection> {
    return this.objects.replace(id, ObjectSelection.parse(body), by);
  }

  /** The objects that are listed, as a file that can be imported again. */
  @Get('export')
  @Requires({ of: 'task', role: 'viewer' })
  async exportList(@Param('id') id: string, @Query() query: unknown): Promise<StreamableFile> {
    const { format } = ExportQuery.parse(query);
    const bytes = exportObjects(await this.objects.get(id), format);
    return new StreamableFile(bytes, {
      type: format === 'csv' ? `${MEDIA_TYPES.csv}; charset=utf-8; header=present` : MEDIA_TYPES.xlsx,
      disposition: `attachment; filename="objects.${format}"`,
    });
  }

  /** Lists the objects of a file instead of those that are listed now; patterns of a task at table level stay. */
  @Post('import')
  @Requires({ of: 'task', role: 'operator' })
  @Audits({ kind: 'task', action: 'choose objects' })
  @HttpCode(200)
  async importList(
    @Param('id') id: string,
    @Req() { headers, body }: Request,
    @ConditionalCaller() by: ConditionalOrigin,
  ): Promise<ObjectSelection> {
    const format = formatOf(headers['content-type']);
    if (!(body instanceof Uint8Array) || body.length === 0)
      throw new SluiceError('SLUICE-6001', { detail: 'the body is empty; a list is sent as the body itself' });
    const selection = importObjects(body, { format, present: await this.objects.get(id) });
    return this.objects.replace(id, selection, by);
  }
}
