import { SECURITY_HEADERS } from '@sluice/service-runtime';
import { type NextFunction, type Request, type Response } from 'express';

export function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.header(SECURITY_HEADERS);
  next();
}
