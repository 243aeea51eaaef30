import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { type Secret } from '@sluice/kernel';

/** Bytes of the bus key. */
const BUS_KEY_BYTES = 32;
const KEY_BYTES = 32;
/** The nonce size that GCM is defined for. */
const IV_BYTES = 12;

export interface KeyPair {
  readonly privateKey: KeyObject;
  /** base64 of the raw 32 bytes. */
  readonly publicKey: string;
}

export interface SealedText {
  /** The sealer's public key, base64. */
  readonly publicKey: string;
  readonly iv: string;
  readonly ciphertext: string;
  readonly tag: string;
}

/** The deployment's key from its base64 text. */
export function parseBusKey(busKey: Secret): Buffer {
  const key = Buffer.from(busKey.reveal(), 'base64');
  if (key.length !== BUS_KEY_BYTES) throw new RangeError(`the bus key must be ${BUS_KEY_BYTES} bytes in base64`);
  return key;
}

export function createKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, publicKey: Buffer.from(x, 'base64url').toString('base64') };
}

/** Proves that who asks for `taskId` with this public key knows the bus key. */
export function requestMac(busKey: Buffer, taskId: string, publicKey: string): Buffer {
  return createHmac('sha256', busKey).update(taskId).update(Buffer.from(publicKey, 'base64')).digest();
}

export function isMacValid(expected: Buffer, given: string): boolean {
  const bytes = Buffer.from(given, 'base64');
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

/** Encrypts for the owner of `recipient`; only who knows the bus key can have made it. */
export function sealText(text: string, options: { busKey: Buffer; taskId: string; recipient: string }): SealedText {
  const own = createKeyPair();
  const key = sharedKey({ ...options, privateKey: own.privateKey, publicKey: options.recipient });
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(options.taskId));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return {
    publicKey: own.publicKey,
    iv: iv.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

/** @throws Error when it was not sealed for this key pair, task and bus key. */
export function openSealed(sealed: SealedText, options: { busKey: Buffer; taskId: string; own: KeyPair }): string {
  const { busKey, taskId, own } = options;
  const key = sharedKey({ busKey, taskId, privateKey: own.privateKey, publicKey: sealed.publicKey });
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.iv, 'base64'), { authTagLength: 16 })
    .setAAD(Buffer.from(taskId))
    .setAuthTag(Buffer.from(sealed.tag, 'base64'));
  return Buffer.concat([decipher.update(Buffer.from(sealed.ciphertext, 'base64')), decipher.final()]).toString('utf8');
}

/** The bus key salts the derivation, so that somebody in the middle without it cannot answer in the vault's place. */
function sharedKey(options: { busKey: Buffer; taskId: string; privateKey: KeyObject; publicKey: string }): Buffer {
  const x = Buffer.from(options.publicKey, 'base64').toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
  const shared = diffieHellman({ privateKey: options.privateKey, publicKey });
  return Buffer.from(hkdfSync('sha256', shared, options.busKey, `sluice credentials v1 ${options.taskId}`, KEY_BYTES));
}
