import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import {
  type ApiKeyList,
  type ApiKeyResource,
  CreateApiKeyRequest,
  type CreatedApiKey,
  PageQuery,
  SluiceError,
} from '@sluice/contracts';
import { MetadataDatabase, type Origin, type StoredApiKey } from '@sluice/metadata';
import { type Request } from 'express';
import { z } from 'zod';
import { Audits } from '../access/audits.js';
import { Caller, type Grant, Granted, notFound } from '../access/granted.js';
import { Requires } from '../access/requires.js';
import { announceCreated, createOptions } from './idempotency.js';

const NoBody = z.strictObject({}).prefault({});

/** Keys are managed by whoever is admin in all of their projects. */
@Controller('api/v1/api-keys')
export class ApiKeysController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Post()
  @Requires({ of: 'new-key', role: 'admin' })
  @Audits({ kind: 'api-key', action: 'create' })
  async create(@Body() body: unknown, @Caller() origin: Origin, @Req() request: Request): Promise<CreatedApiKey> {
    const { name, scope, expiresAt: expiry } = CreateApiKeyRequest.parse(body);
    const expiresAt = expiry === undefined ? null : inFuture(new Date(expiry));
    const options = createOptions(request, origin);
    const { id, secret, isReplay } = await this.metadata.apiKeys.create({ name, scope, expiresAt }, options);
    announceCreated(request, `/api/v1/api-keys/${id}`, isReplay);
    return { ...(await this.get(id)), secret: secret?.reveal() ?? null };
  }

  @Get()
  @Requires({ of: 'any-project', role: 'admin' })
  async list(@Query() query: unknown, @Granted() { projects }: Grant): Promise<ApiKeyList> {
    const { items, nextCursor } = await this.metadata.apiKeys.list({ ...PageQuery.parse(query), projects });
    return { items: items.map(toResource), nextCursor };
  }

  @Get(':id')
  @Requires({ of: 'api-key', role: 'admin' })
  async get(@Param('id') id: string): Promise<ApiKeyResource> {
    return toResource(found(id, await this.metadata.apiKeys.find(id)));
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @Requires({ of: 'api-key', role: 'admin' })
  @Audits({ kind: 'api-key', action: 'revoke' })
  async revoke(@Param('id') id: string, @Body() body: unknown, @Caller() origin: Origin): Promise<ApiKeyResource> {
    NoBody.parse(body);
    return toResource(found(id, await this.metadata.apiKeys.revoke(id, origin)));
  }
}

function inFuture(expiresAt: Date): Date {
  if (expiresAt.getTime() > Date.now()) return expiresAt;
  throw new SluiceError('SLUICE-6001', { detail: 'expiresAt: must be in the future' });
}

function found(id: string, key: StoredApiKey | null): StoredApiKey {
  if (!key) throw notFound('api-key', id);
  return key;
}

function toResource({ id, name, scope, ...times }: StoredApiKey): ApiKeyResource {
  return {
    id,
    name,
    scope,
    status: statusOf(times),
    createdAt: times.createdAt.toISOString(),
    expiresAt: times.expiresAt?.toISOString() ?? null,
    lastUsedAt: times.lastUsedAt?.toISOString() ?? null,
    revokedAt: times.revokedAt?.toISOString() ?? null,
  };
}

function statusOf({ revokedAt, expiresAt }: Pick<StoredApiKey, 'revokedAt' | 'expiresAt'>): ApiKeyResource['status'] {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
}
