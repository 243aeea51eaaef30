import { describe, expect, it } from '@jest/globals';
import { splitAlteration } from './split-alteration.js';

describe('an ALTER TABLE in two', () => {
  it.each([
    {
      name: 'a column and a foreign key',
      statement: 'ALTER TABLE t ADD COLUMN x int, ADD FOREIGN KEY (y) REFERENCES p',
      now: 'ALTER TABLE t ADD COLUMN x int',
      later: 'ALTER TABLE t ADD FOREIGN KEY (y) REFERENCES p',
    },
    {
      name: 'commas and words in texts, lists and comments',
      statement: `ALTER TABLE IF EXISTS ONLY s."T, ä" /* , */ ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES p (c, d) -- , x
, ALTER y SET DEFAULT $q$, ADD FOREIGN KEY$q$, ADD CHECK (a IN (1, 2)) -- the end
, VALIDATE CONSTRAINT g`,
      now: `ALTER TABLE IF EXISTS ONLY s."T, ä" /* , */ ALTER y SET DEFAULT $q$, ADD FOREIGN KEY$q$
, ADD CHECK (a IN (1, 2)) -- the end`,
      later: `ALTER TABLE IF EXISTS ONLY s."T, ä" /* , */ ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES p (c, d) -- , x
, VALIDATE CONSTRAINT g`,
    },
    {
      name: 'a column that refers to another table',
      statement: 'ALTER TABLE t * ADD "X y" int REFERENCES p (id) ON DELETE SET NULL DEFERRABLE NOT NULL DEFAULT 5',
      now: 'ALTER TABLE t * ADD "X y" int  NOT NULL DEFAULT 5',
      later: 'ALTER TABLE t * ADD FOREIGN KEY ("X y") REFERENCES p (id) ON DELETE SET NULL DEFERRABLE',
    },
    {
      name: 'a column whose foreign key has a name, between others',
      statement: `ALTER TABLE ONLY (t) DROP z, ADD COLUMN x text DEFAULT 'a' CONSTRAINT "f" REFERENCES p COLLATE "C", ADD w int`,
      now: `ALTER TABLE ONLY (t) DROP z
, ADD COLUMN x text DEFAULT 'a'  COLLATE "C"
, ADD w int`,
      later: 'ALTER TABLE ONLY (t) ADD CONSTRAINT "f" FOREIGN KEY ("x") REFERENCES p',
    },
  ])('$name', ({ statement, now, later }) => {
    expect(splitAlteration(statement)).toEqual({ now, later });
  });

  it.each([
    ['has foreign keys only', 'ALTER TABLE t ADD FOREIGN KEY (x) REFERENCES p, VALIDATE CONSTRAINT g'],
    ['has none that looks at rows', 'ALTER TABLE t ADD x int, ADD FOREIGN KEY (x) REFERENCES p NOT VALID'],
    ['may add nothing', 'ALTER TABLE t ADD COLUMN IF NOT EXISTS x int REFERENCES p'],
    ['is no ALTER TABLE', 'CREATE TABLE t (x int REFERENCES p)'],
    ['is several statements', 'ALTER TABLE t ADD x int; ALTER TABLE t ADD FOREIGN KEY (x) REFERENCES p'],
    ['cannot be parsed', 'ALTER TABLE t ADD'],
  ])('is not made of one that %s', (_why, statement) => {
    expect(splitAlteration(statement)).toBeNull();
  });
});
