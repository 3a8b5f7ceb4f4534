-- The tables of the messaging crate: what goes out, what has come in, and how far Redis got. Every database that
-- publishes or consumes has the same copy of this file.
create schema messaging;

-- An event and the change it tells of are one commit; the relay carries the row to its stream afterwards.
create table messaging.outbox (
    id bigint generated always as identity,
    stream text not null,
    -- The whole entry, a flat map of strings.
    fields jsonb not null,
    appended_at timestamptz not null default now(),
    -- A flag per row: ids commit out of order, so "everything up to id n" would pass rows over.
    published_at timestamptz,
    -- The batch it went with. Rows above the mark that Redis has are rows that Redis forgot.
    mark bigint,
    -- Its id on the stream, {ms}-{seq}: the row may go once every group has acknowledged past it.
    entry_ms bigint,
    entry_seq bigint,
    constraint outbox_pkey primary key (id),
    constraint outbox_published_check check (num_nulls(published_at, mark, entry_ms, entry_seq) in (0, 4))
);

-- What the relay asks for, small however long the table is.
create index outbox_unpublished_idx on messaging.outbox (id) where published_at is null;
-- What the retention asks for.
create index outbox_published_at_idx on messaging.outbox (published_at) where published_at is not null;

-- The events whose effects are in this database. The row is part of the commit that has the effects.
create table messaging.inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    constraint inbox_pkey primary key (consumer, event_id)
);

-- Rows come in the order of time, so a few pages of ranges find the old ones.
create index inbox_handled_at_idx on messaging.inbox using brin (handled_at);

-- One row: the last batch that this database knows to be in Redis.
create table messaging.relay (
    singleton boolean not null default true,
    mark bigint not null default 0,
    constraint relay_pkey primary key (singleton),
    constraint relay_singleton_check check (singleton)
);

insert into messaging.relay default values;
