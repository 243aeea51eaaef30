-- Exclusion constraints, deferrable keys, rings of foreign keys, NOT VALID, self references, actions.
CREATE SCHEMA keys;
CREATE EXTENSION btree_gist WITH SCHEMA keys;
CREATE TABLE keys.rooms (
  room int,
  during tsrange,
  who text,
  EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (who <> 'cleaner'),
  CONSTRAINT deferred_exclusion EXCLUDE USING gist (during WITH -|-) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE keys.a (id int CONSTRAINT a_key PRIMARY KEY DEFERRABLE, b int, u int UNIQUE DEFERRABLE INITIALLY DEFERRED, UNIQUE (b, u));
CREATE TABLE keys.b (id int PRIMARY KEY, a int, a2 int, self int REFERENCES keys.b ON DELETE SET NULL ON UPDATE CASCADE);
CREATE UNIQUE INDEX b_a ON keys.b (a);
ALTER TABLE keys.a ADD CONSTRAINT a_to_b FOREIGN KEY (b) REFERENCES keys.b (a) MATCH FULL DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE keys.b ADD CONSTRAINT b_to_a FOREIGN KEY (a, a2) REFERENCES keys.a (b, u) ON DELETE SET NULL (a2) NOT VALID;
ALTER TABLE keys.b ADD CONSTRAINT b_to_a2 FOREIGN KEY (id) REFERENCES keys.b ON DELETE RESTRICT;
CREATE TABLE keys.renamed (id int PRIMARY KEY, x int);
ALTER TABLE keys.renamed RENAME CONSTRAINT renamed_pkey TO "another name";
ALTER TABLE keys.renamed RENAME TO renamed_table;
