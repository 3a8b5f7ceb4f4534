-- Counts the take-overs of the relay: the upper bits of a mark are the epoch that it belongs to, so that a relay which was
-- frozen or cut off cannot pass for the one that took over.
alter table messaging.relay add column epoch bigint not null default 0;
