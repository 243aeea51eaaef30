import { type DynamicModule, Module } from '@nestjs/common';
import { MetadataDatabase } from '@sluice/metadata';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.js';
import { type Rate, RateLimit } from './access/rate-limit.js';
import { RefusalAudit } from './access/refusal-audit.js';
import { RouteDeclarations } from './access/route-declarations.js';
import { AlarmHandler } from './alarm.handler.js';
import { AlarmsController } from './api/alarms.controller.js';
import { ApiKeysController } from './api/api-keys.controller.js';
import { AuditEventsController } from './api/audit-events.controller.js';
import { DdlDecisionsController } from './api/ddl-decisions.controller.js';
import { CatalogController } from './api/catalog.controller.js';
import { ConflictsController } from './api/conflicts.controller.js';
import { DocumentsController } from './api/documents.controller.js';
import { EventStreams, HEARTBEAT_MS } from './api/event-streams.js';
import { ProjectsController } from './api/projects.controller.js';
import { SourceRolesController } from './api/source-roles.controller.js';
import { TaskObjectsController } from './api/task-objects.controller.js';
import { TaskEventsController } from './api/task-events.controller.js';
import { TasksController } from './api/tasks.controller.js';
import { RateLimitController } from './api/rate-limit.controller.js';
import { UsersController } from './api/users.controller.js';
import { BackgroundWork } from './background-work.js';
import { ConflictHandler } from './conflict.handler.js';
import { LiveFeedHandler } from './live-feed.handler.js';
import { LiveProgress } from './live-progress.js';
import { OutboxDispatcher } from './outbox-dispatcher.js';
import { RunReconciler } from './run-reconciler.js';
import { SourceCatalog } from './source-catalog.js';
import { StageEventHandler } from './stage-event.handler.js';
import { TaskFeed } from './task-feed.js';
import { TaskObjects } from './task-objects.js';
import { TaskProjects } from './task-projects.js';
import { TaskOrders } from './task-orders.js';

interface Parts {
  readonly metadata: MetadataDatabase;
  readonly rate: Rate;
  /** Of live events. */
  readonly heartbeatMs?: number;
}

/** Needs BUS and LOGGER of the runtime. */
@Module({})
export class TaskManagementModule {
  static with({ metadata, rate, heartbeatMs = HEARTBEAT_MS }: Parts): DynamicModule {
    return {
      module: TaskManagementModule,
      // `tasks/events` must be known before `tasks/:id`, and what a task has before `tasks/:id/:action`.
      controllers: [
        TaskEventsController,
        DdlDecisionsController,
        TasksController,
        AlarmsController,
        ConflictsController,
        SourceRolesController,
        UsersController,
        RateLimitController,
        CatalogController,
        TaskObjectsController,
        ProjectsController,
        ApiKeysController,
        AuditEventsController,
        DocumentsController,
        StageEventHandler,
        LiveFeedHandler,
        AlarmHandler,
        ConflictHandler,
      ],
      imports: [DiscoveryModule],
      providers: [
        { provide: APP_GUARD, useClass: AccessGuard },
        RouteDeclarations,
        RefusalAudit,
        TaskProjects,
        TaskObjects,
        SourceCatalog,
        { provide: MetadataDatabase, useValue: metadata },
        { provide: EventStreams, useValue: new EventStreams(metadata, heartbeatMs) },
        { provide: RateLimit, useValue: new RateLimit(rate) },
        LiveProgress,
        TaskFeed,
        OutboxDispatcher,
        RunReconciler,
        TaskOrders,
        BackgroundWork,
      ],
    };
  }
}
