-- Local and inherited columns, several parents, defaults and NOT NULL that differ from those of the parent.
CREATE SCHEMA family;
CREATE TABLE family.base (id int NOT NULL, name text DEFAULT 'base', CONSTRAINT base_check CHECK (id > 0), CONSTRAINT lone CHECK (id < 99) NO INHERIT);
CREATE TABLE family.other (other_id int, name text DEFAULT 'other');
CREATE TABLE family.child (own text) INHERITS (family.base);
CREATE TABLE family.merged (name text DEFAULT 'merged', CONSTRAINT base_check CHECK (id > 0), local_col int NOT NULL) INHERITS (family.base, family.other);
CREATE TABLE family.grandchild (CONSTRAINT own_check CHECK (own <> '')) INHERITS (family.child);
ALTER TABLE family.grandchild ALTER COLUMN name SET DEFAULT 'grandchild';
ALTER TABLE family.grandchild ALTER COLUMN own SET NOT NULL;
ALTER TABLE family.child ALTER COLUMN name DROP DEFAULT;
ALTER TABLE family.child ALTER COLUMN name SET STORAGE EXTERNAL;
CREATE INDEX base_name ON family.base (name);
