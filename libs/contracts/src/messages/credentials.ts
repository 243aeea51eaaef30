import { z } from 'zod';
import { TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

/**
 * A worker asks for a task's two endpoints. It sends an X25519 public key made for this one request and an
 * HMAC-SHA256 over task id and key with the deployment's bus key; the answer is readable with the private key only.
 */
export const CredentialsRequest = z.object({
  version: z.literal(1),
  taskId: TaskId,
  service: z.string(),
  /** base64 of the raw 32 bytes. */
  publicKey: z.string(),
  /** base64. */
  mac: z.string(),
});
export type CredentialsRequest = z.infer<typeof CredentialsRequest>;

export const CredentialsReply = z.discriminatedUnion('ok', [
  z.object({
    version: z.literal(1),
    ok: z.literal(true),
    publicKey: z.string(),
    iv: z.string(),
    ciphertext: z.string(),
    tag: z.string(),
  }),
  z.object({ version: z.literal(1), ok: z.literal(false), error: z.string() }),
]);
export type CredentialsReply = z.infer<typeof CredentialsReply>;

export const credentialsRequests = defineSubject({
  pattern: 'sluice.v1.credentials',
  format: (_: Record<string, never>) => 'sluice.v1.credentials',
  payload: CredentialsRequest,
});
