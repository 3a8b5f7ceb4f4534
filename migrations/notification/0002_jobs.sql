-- The table of the jobs crate: what a service has to do later, or again until it succeeds. Every database of a service
-- with jobs has the same copy of this file.
create schema jobs;

-- A row per piece of work that waits, runs or has failed for good; work that is done has none.
create table jobs.queue (
    kind text not null,
    -- What it is about: at most one job of a kind waits for it.
    key text not null,
    -- When it may run; while it runs, the end of its lease.
    run_at timestamptz not null default now(),
    enqueued_at timestamptz not null default now(),
    -- How often it was started since it last succeeded or was enqueued.
    tries integer not null default 0,
    -- Counts how often it was enqueued: work that is enqueued again while it runs has to run again.
    generation integer not null default 0,
    -- What the last run ended with.
    error text,
    -- When it was given up: it waits for a person.
    dead_at timestamptz,
    constraint queue_pkey primary key (kind, key)
);

-- What is due of each kind, in order.
create index queue_due on jobs.queue (kind, run_at) where dead_at is null;
