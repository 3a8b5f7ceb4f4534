-- When it was heard that the goods could not be delivered: order-service then waits for everything to have gone back,
-- whatever for.
alter table payments add column undelivered_at timestamptz;
