declare const brand: unique symbol;

/** A base type that cannot be mixed up with another of the same shape. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
