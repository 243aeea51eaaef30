/**
 * Of every answer, also of one whose body could not be read. Nothing here is a page: nothing may be loaded, framed,
 * sniffed or kept. HTTPS is the proxy's business, so that browsers heed the last one only behind it.
 */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'strict-transport-security': 'max-age=31536000',
} as const;
