import type pg from 'pg';

/** Says nothing of what its bytes mean. */
const NO_ENCODING = 'SQL_ASCII';

/**
 * Opens `client` so that text comes and goes as UTF-8, or, where the database is encoded in SQL_ASCII, as the bytes that it
 * is: the server has nothing to convert there, and would refuse what is not UTF-8. The name of the encoding comes with the
 * login. https://www.postgresql.org/docs/current/multibyte.html
 */
export async function connectInOwnBytes(client: pg.Client): Promise<void> {
  let encoding: string | null = null;
  const note = ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }): void => {
    if (parameterName === 'server_encoding') encoding = parameterValue;
  };
  client.connection.on('parameterStatus', note);
  await client.connect();
  client.connection.off('parameterStatus', note);
  if (encoding === NO_ENCODING) await client.query(`SET client_encoding = '${NO_ENCODING}'`);
}
