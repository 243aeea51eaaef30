import { Inject, Injectable } from '@nestjs/common';
import { ERRORS, type ErrorCode } from '@sluice/contracts';
import { type AuditEntry, MetadataDatabase } from '@sluice/metadata';
import { LOGGER } from '@sluice/service-runtime';
import { type Logger } from '@sluice/telemetry';
import { type Request } from 'express';
import { z } from 'zod';
import { attemptOf, originOf } from './granted.js';

/** These never became an order: unreadable, or turned away unread. */
const UNREAD: readonly number[] = [400, 401, 413, 415, 429];
const NAME_CHARACTERS_MAX = 100;

const Id = z.uuid();
const Named = z.looseObject({ name: z.string().transform((name) => name.slice(0, NAME_CHARACTERS_MAX)) });

/** Records calls that should have changed something and were refused. */
@Injectable()
export class RefusalAudit {
  constructor(
    private readonly metadata: MetadataDatabase,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  async record(request: Request, code: ErrorCode): Promise<void> {
    const entry = UNREAD.includes(ERRORS[code].httpStatus) ? null : entryOf(request, code);
    if (!entry) return;
    // The database may be the reason of the refusal; the caller must see that one.
    await this.metadata.audit.record(entry).catch((error: unknown) => {
      this.log.error({ err: error, action: entry.action, outcome: code }, 'a refusal could not be audited');
    });
  }
}

/** `null` for what changes nothing, and before the caller is known. */
function entryOf(request: Request, outcome: ErrorCode): AuditEntry | null {
  const attempt = attemptOf(request);
  if (!attempt?.audited) return null;
  const { kind, action } = attempt.audited;
  const id = Id.safeParse(request.params['id']).data ?? null;
  return {
    origin: originOf(request, attempt),
    action: typeof action === 'string' ? action : action(request),
    projectId: attempt.projectId,
    object: { kind, id, name: attempt.name ?? Named.safeParse(request.body).data?.name ?? null },
    outcome,
  };
}
