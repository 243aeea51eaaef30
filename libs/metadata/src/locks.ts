/** Advisory locks of the metadata database; arbitrary numbers that nothing else uses there. */
export const LOCKS = { migrations: 7_301_001, adminKey: 7_301_002 } as const;
