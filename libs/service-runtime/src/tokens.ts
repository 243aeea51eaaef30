/** Injection tokens of what the runtime provides to every module. */
export const BUS = Symbol('BUS');
export const LOGGER = Symbol('LOGGER');
export const CONFIG = Symbol('CONFIG');
export const RUNTIME = Symbol('RUNTIME');
