/** Schemas, enums, domains, composite types and sequences: everything that a column of a table can need. */
export const TYPES = /* sql */ `
CREATE SCHEMA shop;
CREATE SCHEMA warehouse;
CREATE SCHEMA analytics;
COMMENT ON SCHEMA shop IS 'What customers see and do';
COMMENT ON SCHEMA warehouse IS 'Where goods are and who moves them';
COMMENT ON SCHEMA analytics IS 'What happened, for reports';

CREATE TYPE shop.customer_status AS ENUM ('new', 'active', 'blocked', 'closed');
CREATE TYPE shop.order_status AS ENUM ('placed', 'paid', 'packed', 'shipped', 'delivered', 'returned');
CREATE TYPE shop.payment_method AS ENUM ('card', 'wallet', 'invoice', 'voucher');
CREATE TYPE warehouse.movement AS ENUM ('in', 'out', 'correction');
CREATE TYPE analytics."Log Level" AS ENUM ('debug', 'info', 'it''s bad');

CREATE DOMAIN shop.email AS text CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');
CREATE DOMAIN shop.percentage AS numeric(5, 2) DEFAULT 0 CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN shop.positive_amount AS numeric(14, 2) NOT NULL CHECK (VALUE >= 0);
COMMENT ON DOMAIN shop.email IS 'Checked for its shape only';

CREATE TYPE shop.postal_address AS (street text, house_number text, postal_code varchar(12), city text, country char(2));
CREATE TYPE shop.dimensions AS (width_mm integer, height_mm integer, depth_mm integer);
CREATE TYPE shop.contact AS (email shop.email, address shop.postal_address);

CREATE SEQUENCE shop.order_number AS bigint START 100000 INCREMENT 1 CACHE 10;
CREATE SEQUENCE warehouse.tracking_number MINVALUE 1 MAXVALUE 999999999 CYCLE;
`;
