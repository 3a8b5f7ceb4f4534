-- The tables of the messaging crate: what goes out, what has come in, and how far Redis got. Every database that
-- publishes or consumes has the same copy of this file.
create schema messaging;

-- An event and the change that caused it are one commit; the relay carries the row to its stream afterwards.
create table messaging.outbox (
    id bigint generated always as identity,
    stream text not null,
    -- The whole entry, a flat map of strings.
    fields jsonb not null,
    appended_at timestamptz not null default now(),
    -- A flag per row: ids commit out of order, so "everything up to id n" would pass rows over.
    published_at timestamptz,
    -- The batch it went with. Rows above the mark that Redis has are rows that Redis lost.
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

-- One row: how far the relay is.
create table messaging.relay (
    singleton boolean not null default true,
    -- The last batch that this database knows to be in Redis.
    mark bigint not null default 0,
    -- Counts the take-overs: the upper bits of a mark are the epoch that it belongs to, so that a relay which was frozen or
    -- cut off cannot pass for the one that took over.
    epoch bigint not null default 0,
    constraint relay_pkey primary key (singleton),
    constraint relay_singleton_check check (singleton)
);

insert into messaging.relay default values;

-- The events that a consumer of this database could not handle, until somebody puts them back or discards them. Redis has a
-- copy of each for people to read, on the stream's `:dlq`; this is the one that no loss of Redis takes away.
create table messaging.dead_letters (
    id bigint generated always as identity,
    consumer text not null,
    stream text not null,
    -- Which entry it was: {ms}-{seq}.
    entry_id text not null,
    -- Read from the entry, where that is possible.
    event_id uuid,
    event_type text,
    correlation_id text,
    -- The whole entry, byte by byte: what is no event need not be text.
    names bytea[] not null,
    contents bytea[] not null,
    error text not null,
    -- How often the process that gave it up had tried, and since when.
    tries integer not null,
    first_failed_at timestamptz not null,
    died_at timestamptz not null default now(),
    replayed_at timestamptz,
    discarded_at timestamptz,
    constraint dead_letters_pkey primary key (id),
    constraint dead_letters_entry_key unique (consumer, stream, entry_id),
    constraint dead_letters_fields_check check (cardinality(names) = cardinality(contents)),
    constraint dead_letters_closed_check check (num_nonnulls(replayed_at, discarded_at) < 2)
);

-- Those that somebody has to see to: few, or something is wrong. An event that is sent again, since Redis lost it, and dies
-- again is the same letter still.
create unique index dead_letters_open_key on messaging.dead_letters (consumer, stream, event_id)
    where replayed_at is null and discarded_at is null;
