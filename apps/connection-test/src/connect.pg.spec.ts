import { describe, expect, it } from '@jest/globals';
import { type PostgresServer } from '@sluice/embedded';
import { connect, type Endpoint, type TlsSettings, VALUE_SETTINGS } from '@sluice/postgres-client';
import { dedicatedServer, testDatabase } from '@sluice/testing';
import { chown, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Made for this test, valid until 2120: a CA, and a key and certificate that it signed for `localhost`. */
const TEST_CA = `-----BEGIN CERTIFICATE-----
MIIBVDCB+6ADAgECAgEBMAoGCCqGSM49BAMCMBkxFzAVBgNVBAMMDnNsdWljZSB0
ZXN0IENBMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAZMRcwFQYD
VQQDDA5zbHVpY2UgdGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDGh
o/D6qVkqqXyXkNeN0fzOrQBkga49gYxIqrTcA7YwoaOYW7fWrXQSqzRf/ek+6CVK
06qC80EsWVieUOcyJTSjMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFLPp
SPKJz5heP60nem9IlpvmHHSqMAoGCCqGSM49BAMCA0gAMEUCIBAodc7qh8zwG2nY
27sGd6a3Hj8nx1auvj4kqqTTwq8UAiEAr74QEoQ6nUf4CY0B29zR7e657YwtDNvK
elCkDSnQdEE=
-----END CERTIFICATE-----
`;
const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHh2hd7zMpBgM5HCv
LcDl8ixTM6XNSnsMHZEUpCG8sJqhRANCAAQwmuX0uZENX7H6z3nF5wgLGa9ZpxtF
F2yIRMIjS0hWkeGvXDUFy7PJ5c48oeG4ezAg/r4spARIuTduXRvVjQbl
-----END PRIVATE KEY-----
`;
const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdjCCARygAwIBAgIBAjAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA5zbHVpY2Ug
dGVzdCBDQTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAG
A1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMJrl9LmR
DV+x+s95xecICxmvWacbRRdsiETCI0tIVpHhr1w1BcuzyeXOPKHhuHswIP6+LKQE
SLk3bl0b1Y0G5aNYMFYwFAYDVR0RBA0wC4IJbG9jYWxob3N0MB0GA1UdDgQWBBTb
DpKISM6L7uQlufdRXFgL5zAgsjAfBgNVHSMEGDAWgBSz6Ujyic+YXj+tJ3pvSJab
5hx0qjAKBggqhkjOPQQDAgNIADBFAiA66WUpueU9HuCSMNJHHYHC7r5BziYBzQQg
INoVkKdscAIhAKO313IKJSTSfjTVaMAM6F1oQhET76gLEDiR9licaqdb
-----END CERTIFICATE-----
`;

/** Written as the account that runs the server, which refuses keys that others may read. */
async function writeAsServer(server: PostgresServer, name: string, content: string): Promise<void> {
  const file = path.join(server.dataDir, name);
  await writeFile(file, content, { mode: 0o600 });
  const { uid, gid } = await stat(server.dataDir);
  await chown(file, uid, gid);
}

async function tlsServer(): Promise<PostgresServer> {
  const server = await dedicatedServer();
  await writeAsServer(server, 'test.key', TEST_KEY);
  await writeAsServer(server, 'test.crt', TEST_CERTIFICATE);
  await server.restart({ settings: { ssl: 'on', ssl_key_file: 'test.key', ssl_cert_file: 'test.crt' } });
  return server;
}

async function tlsVersion(endpoint: Endpoint): Promise<string | null> {
  await using client = await connect(endpoint, { applicationName: 'spec' });
  const { rows } = await client.query<{ version: string | null }>(
    'SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  );
  return rows[0]?.version ?? null;
}

// Stands here because the test servers are built on the client library, which therefore cannot use them.
describe('connect', () => {
  it('sets the session and names it', async () => {
    await using db = await testDatabase();
    await using client = await connect(db.endpoint, { applicationName: 'spec', settings: VALUE_SETTINGS });
    for (const [name, value] of Object.entries(VALUE_SETTINGS)) {
      const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [name]);
      expect([name, rows[0]?.value]).toEqual([name, name === 'DateStyle' ? 'ISO, YMD' : value]);
    }
    const { rows } = await client.query("SELECT current_setting('application_name') AS name");
    expect(rows).toEqual([{ name: 'sluice spec' }]);
  });

  it('survives that the server ends an idle session, and reports it at the next query', async () => {
    await using db = await testDatabase();
    await using client = await connect(db.endpoint, { applicationName: 'victim' });
    const ended = new Promise((resolve) => client.once('end', resolve));
    await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice victim'");
    await ended;
    await expect(client.query('SELECT 1')).rejects.toThrow(/not queryable|closed/);
  });

  it('verifies certificates as the TLS mode says', async () => {
    await using server = await tlsServer();
    const at = (host: string, tls: TlsSettings): Endpoint => ({ ...server.endpoint('postgres'), host, tls });
    expect(await tlsVersion(at('127.0.0.1', { mode: 'disable' }))).toBeNull();
    expect(await tlsVersion(at('127.0.0.1', { mode: 'require' }))).toMatch(/^TLSv1/);
    expect(await tlsVersion(at('127.0.0.1', { mode: 'verify-ca', ca: TEST_CA }))).toMatch(/^TLSv1/);
    expect(await tlsVersion(at('localhost', { mode: 'verify-full', ca: TEST_CA }))).toMatch(/^TLSv1/);
    // Signed by a CA that the machine does not know.
    await expect(tlsVersion(at('127.0.0.1', { mode: 'verify-ca' }))).rejects.toMatchObject({ code: 'SLUICE-1009' });
    // The certificate names `localhost`, not the address.
    const misnamed = tlsVersion(at('127.0.0.1', { mode: 'verify-full', ca: TEST_CA }));
    await expect(misnamed).rejects.toMatchObject({ code: 'SLUICE-1009' });
  });
});
