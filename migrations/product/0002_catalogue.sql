-- The catalogue. Names are compared without case; the service folds them, since what a database folds depends on its
-- locale.
create table categories (
    id bigint generated always as identity,
    name text not null,
    -- The name without case.
    name_key text not null,
    created_at timestamptz not null default now(),
    -- When it was renamed last.
    updated_at timestamptz not null default now(),
    constraint categories_pkey primary key (id),
    constraint categories_name_key unique (name_key),
    constraint categories_name_length check (char_length(name) between 1 and 100)
);

-- Rows are never removed: orders, holds and movements refer to them for ever. A product off sale has `deleted_at`.
-- The stock changes with every order: it is in no index, and pages keep room, so that such a change stays on its page.
-- (Sorting by stock reads all products instead.)
create table products (
    id bigint generated always as identity,
    name text not null,
    -- The name without case: unique among what is on sale, searched and sorted by.
    name_key text not null,
    description text not null,
    -- Whole rupiah.
    price bigint not null,
    -- Free units: those held for an order are already out.
    stock bigint not null,
    created_at timestamptz not null default now(),
    -- When an administrator changed it last; buying does not count.
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint products_pkey primary key (id),
    constraint products_name_length check (char_length(name) between 1 and 200),
    constraint products_description_length check (char_length(description) <= 5000),
    constraint products_price_range check (price between 1 and 1000000000000),
    -- The last line of defence against overselling.
    constraint products_stock_not_negative check (stock >= 0)
) with (fillfactor = 70);

create unique index products_name_key on products (name_key) include (id) where deleted_at is null;
create index products_price_idx on products (price, id) where deleted_at is null;
create index products_created_at_idx on products (created_at, id) where deleted_at is null;

-- Searching a part of the name. The extension comes with PostgreSQL, but not with every packaging of it; without it a
-- search reads all names.
do $$
begin
    create extension if not exists pg_trgm;
    create index products_name_trgm_idx on products using gin (name_key gin_trgm_ops) where deleted_at is null;
exception
    when undefined_file or feature_not_supported or insufficient_privilege then
        raise warning 'pg_trgm is not available: searching products reads all names';
end
$$;

-- Only products on sale have rows here: what is taken off sale leaves its categories.
create table product_categories (
    product_id bigint not null,
    category_id bigint not null,
    constraint product_categories_pkey primary key (product_id, category_id),
    constraint product_categories_product_fkey foreign key (product_id) references products (id),
    -- A category that is not empty stays.
    constraint product_categories_category_fkey foreign key (category_id) references categories (id)
);

create index product_categories_category_idx on product_categories (category_id, product_id);

-- One row: how many products are on sale. Counting them for every page of the catalogue would read them all.
create table catalogue_size (
    singleton boolean not null default true,
    products bigint not null default 0,
    -- The rule by which the keys of names were made: the service makes them anew when it starts with another one. 0 is
    -- none yet.
    name_key_rule smallint not null default 0,
    constraint catalogue_size_pkey primary key (singleton),
    constraint catalogue_size_singleton_check check (singleton),
    constraint catalogue_size_not_negative check (products >= 0)
);

insert into catalogue_size default values;
