-- An order is told from another one that had its number by its buyer and the time when it was placed: a restore of
-- order-service's database gives numbers out again.
alter table deliveries add column ordered_at timestamptz;
