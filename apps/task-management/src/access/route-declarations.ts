import { Injectable, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { assert } from '@sluice/kernel';
import { Audits } from './audits.js';
import { Requires } from './requires.js';

/**
 * Lets the service not start while a route says nothing about who may call it, or one that changes something nothing
 * about its audit: forgotten must not mean open, or unseen.
 */
@Injectable()
export class RouteDeclarations implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    const undeclared = this.discovery.getControllers().flatMap(({ metatype, name }) => {
      const prototype: unknown = metatype?.prototype;
      if (typeof prototype !== 'object' || prototype === null) return [];
      return this.#undeclared(prototype).map((method) => `${name}.${method}`);
    });
    assert(undeclared.length === 0, `routes without @Requires, or without @Audits: ${undeclared.join(', ')}`);
  }

  #undeclared(prototype: object): readonly string[] {
    return this.scanner.getAllMethodNames(prototype).filter((name) => {
      const method: unknown = Reflect.get(prototype, name);
      if (typeof method !== 'function' || !Reflect.hasMetadata(PATH_METADATA, method)) return false;
      if (this.reflector.get(Requires, method) === undefined) return true;
      const changes = Reflect.getMetadata(METHOD_METADATA, method) !== RequestMethod.GET;
      return changes && this.reflector.get(Audits, method) === undefined;
    });
  }
}
