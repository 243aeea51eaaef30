import { Reflector } from '@nestjs/core';
import { type Role } from '@sluice/contracts';

/** What a route asks of the key that calls it. */
export type Requirement =
  /** Nothing, not even a key. */
  | { readonly of: 'nobody' }
  /** A deployment-wide key. */
  | { readonly of: 'deployment' }
  /** The role in some project; the route answers with what belongs to those projects only. */
  | { readonly of: 'any-project'; readonly role: Role }
  /** The role in the project that owns the object which `:id` names. */
  | { readonly of: 'task' | 'project' | 'api-key'; readonly role: Role }
  /** The role in the project that the body or the query names by `projectId`; in the default project when it does not. */
  | { readonly of: 'named-project'; readonly in: 'body' | 'query'; readonly role: Role }
  /** The role in every project of the scope that the body gives to a new key. */
  | { readonly of: 'new-key'; readonly role: Role };

/** Declares the requirement of a route. A route without one lets the service not start (route-declarations.ts). */
export const Requires = Reflector.createDecorator<Requirement>();
