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
