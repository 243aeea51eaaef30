import { Reflector } from '@nestjs/core';
import { type AuditedKind } from '@sluice/contracts';
import { type Request } from 'express';

/** What a route does to what, for the audit of calls that are refused. Those that are carried out are audited with the change. */
export interface Audited {
  readonly kind: AuditedKind;
  readonly action: string | ((request: Request) => string);
}

/** Declares it. A route that changes something and declares nothing lets the service not start. */
export const Audits = Reflector.createDecorator<Audited>();
