-- An order is told from another one that had its number by its buyer and its price: a restore of order-service's database
-- gives numbers out again. Null where they are not known: a tombstone has no price.
alter table holds
    add column user_id bigint,
    add column total_amount bigint;
