-- Domains over everything, with several checks, defaults and NOT VALID; composites in composites, arrays, tables of types.
CREATE SCHEMA dom;
CREATE TYPE dom.colour AS ENUM ('green', 'Blue', 'red of "roses"', '');
ALTER TYPE dom.colour ADD VALUE 'first' BEFORE 'green';
ALTER TYPE dom.colour ADD VALUE 'middle' AFTER 'Blue';
ALTER TYPE dom.colour ADD VALUE 'before middle' BEFORE 'middle';
CREATE TYPE dom.empty AS ENUM ();
CREATE DOMAIN dom.age AS smallint CONSTRAINT not_negative CHECK (VALUE >= 0) CONSTRAINT "not 'old'" CHECK (VALUE < 130) DEFAULT 18;
CREATE DOMAIN dom.adult AS dom.age NOT NULL CHECK (VALUE > 17);
ALTER DOMAIN dom.adult ADD CONSTRAINT later CHECK (VALUE <> 99) NOT VALID;
CREATE DOMAIN dom.code AS varchar(12) COLLATE "C" DEFAULT 'x'::varchar CHECK (VALUE ~ '^[a-z\\]+$');
CREATE DOMAIN dom.price AS numeric(12, 3) DEFAULT 0.5;
CREATE DOMAIN dom.prices AS numeric(12, 3)[] CHECK (array_length(VALUE, 1) < 9);
CREATE DOMAIN dom.shade AS dom.colour DEFAULT 'Blue' CHECK (VALUE IN ('Blue', 'green'));
CREATE DOMAIN dom.span AS interval hour to minute;
CREATE DOMAIN dom.moment AS timestamptz(2) DEFAULT now();
CREATE TYPE dom.money AS (amount dom.price, currency char(3) COLLATE "C", "rate at" dom.moment);
CREATE TYPE dom.line AS (total dom.money, parts dom.money[], notes text[], kind dom.colour);
ALTER TYPE dom.line ADD ATTRIBUTE added int;
ALTER TYPE dom.line DROP ATTRIBUTE notes;
ALTER TYPE dom.line RENAME ATTRIBUTE kind TO "the kind";
CREATE TABLE dom.people (
  id int, years dom.age, adult dom.adult DEFAULT 21, code dom.code NOT NULL, prices dom.prices DEFAULT '{1.5,2}',
  favourite dom.shade, likes dom.colour[] DEFAULT '{green,""}', line dom.line, lines dom.line[] DEFAULT ARRAY[]::dom.line[],
  span dom.span DEFAULT '01:30', matrix int[][], fixed int[3], bits varbit(7) DEFAULT B'101', t time(3) with time zone
);
CREATE TABLE dom.of_money OF dom.money (currency WITH OPTIONS DEFAULT 'EUR' NOT NULL, CONSTRAINT positive CHECK (amount > 0), PRIMARY KEY (currency));
CREATE TABLE dom.also_of_money OF dom.money;
CREATE TYPE dom.row_of_table AS (person dom.people, of dom.of_money[]);
CREATE DOMAIN dom.people_domain AS dom.people[];
COMMENT ON DOMAIN dom.age IS 'in years';
COMMENT ON CONSTRAINT "not 'old'" ON DOMAIN dom.age IS 'nobody was';
COMMENT ON CONSTRAINT later ON DOMAIN dom.adult IS 'not valid yet';
