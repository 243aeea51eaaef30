import { SluiceError } from '@sluice/contracts';
import { type Secret } from '@sluice/kernel';
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

export interface SealedBox {
  /** Which master key wraps the data key. */
  readonly keyId: string;
  readonly wrappedKey: Buffer;
  readonly sealed: Buffer;
}

const KEY_BYTES = 32;
/** NIST SP 800-38D: 96 bits is the nonce length that GCM uses as it is. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Envelope encryption, AES-256-GCM: every box has a data key of its own, which the master key wraps. So a master key is
 * replaced by wrapping the data keys again, and no two boxes share a key and a nonce.
 *
 * Maintained invariant: the context (which row it is) is authenticated, so that a box cannot be moved to another row.
 */
export class Sealer {
  readonly keyId: string;
  readonly #wrapping: Buffer;
  readonly #mac: Buffer;

  /** @param masterKey any text of high entropy; keys of the right length are derived from it. */
  constructor(masterKey: Secret) {
    const derive = (purpose: string): Buffer =>
      Buffer.from(hkdfSync('sha256', masterKey.reveal(), '', `sluice ${purpose} v1`, KEY_BYTES));
    this.#wrapping = derive('wrapping');
    this.#mac = derive('mac');
    this.keyId = createHash('sha256').update(derive('key id')).digest('hex').slice(0, 16);
  }

  seal(text: string, context: string): SealedBox {
    const dataKey = randomBytes(KEY_BYTES);
    return {
      keyId: this.keyId,
      wrappedKey: encrypt(this.#wrapping, dataKey, context),
      sealed: encrypt(dataKey, Buffer.from(text, 'utf8'), context),
    };
  }

  /** @throws SluiceError 9001 when the box was sealed under another master key or was changed. */
  open(box: SealedBox, context: string): string {
    if (box.keyId !== this.keyId) {
      throw new SluiceError('SLUICE-9001', {
        detail: `credentials are sealed under master key ${box.keyId}, this service has ${this.keyId}`,
        remedy: 'Start the service with the master key under which the credentials were stored.',
      });
    }
    try {
      return decrypt(decrypt(this.#wrapping, box.wrappedKey, context), box.sealed, context).toString('utf8');
    } catch (error) {
      throw new SluiceError('SLUICE-9001', { detail: 'sealed credentials were changed', cause: error });
    }
  }

  /** A fingerprint that cannot be guessed at without the master key. */
  mac(text: string): Buffer {
    return createHmac('sha256', this.#mac).update(text).digest();
  }
}

/** nonce, tag, ciphertext. */
function encrypt(key: Buffer, clear: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context, 'utf8'));
  const ciphertext = Buffer.concat([cipher.update(clear), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

function decrypt(key: Buffer, box: Buffer, context: string): Buffer {
  const nonce = box.subarray(0, NONCE_BYTES);
  const tag = box.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context, 'utf8'))
    .setAuthTag(tag);
  return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}
