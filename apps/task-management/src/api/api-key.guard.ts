import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { SluiceError } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { MetadataDatabase } from '@sluice/metadata';
import { type Request } from 'express';
import { rememberCaller } from './caller.js';

/** Lets a request through whose `Authorization: Bearer …` is a known API key. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly metadata: MetadataDatabase) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const presented = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
    const key = presented === undefined ? null : await this.metadata.apiKeys.verify(new Secret(presented));
    if (!key) {
      throw new SluiceError('SLUICE-6005', {
        detail: presented === undefined ? 'no API key was sent' : 'the API key is not known or was revoked',
      });
    }
    rememberCaller(request, key);
    return true;
  }
}
