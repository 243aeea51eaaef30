import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { assert } from '@sluice/kernel';
import { Requires } from './requires.js';

/** Lets the service not start while a route says nothing about who may call it: forgotten must not mean open. */
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
    assert(undeclared.length === 0, `routes without @Requires: ${undeclared.join(', ')}`);
  }

  #undeclared(prototype: object): readonly string[] {
    return this.scanner.getAllMethodNames(prototype).filter((name) => {
      const method: unknown = Reflect.get(prototype, name);
      if (typeof method !== 'function' || !Reflect.hasMetadata(PATH_METADATA, method)) return false;
      return this.reflector.get(Requires, method) === undefined;
    });
  }
}
