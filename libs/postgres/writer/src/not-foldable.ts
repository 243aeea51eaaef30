/** Why a change cannot be folded: it must be executed by itself, after all before it. */
export class NotFoldable extends Error {
  override readonly name = 'NotFoldable';
}
