-- Whose transaction is whose. Of some methods Midtrans does not say which order a transaction belongs to, so that the same
-- one could be counted for two orders: the first attempt that claims it has it for good.
create table transactions (
    transaction_id text not null,
    midtrans_order_id text not null,
    constraint transactions_pkey primary key (transaction_id),
    constraint transactions_attempt_fkey foreign key (midtrans_order_id) references payment_attempts (midtrans_order_id)
);

insert into transactions (transaction_id, midtrans_order_id)
select distinct on (transaction_id) transaction_id, midtrans_order_id
from (
    select transaction_id, midtrans_order_id from payment_attempts where transaction_id is not null
    union all
    select paid_transaction_id, paid_midtrans_order_id from payments where paid_transaction_id is not null
    union all
    select transaction_id, midtrans_order_id from refunds
) as known
order by transaction_id, midtrans_order_id;

-- One row per signed content: what is not signed can be written by whoever has seen a notification, and is only a hint.
delete from notifications as older using notifications as newer
where older.midtrans_order_id = newer.midtrans_order_id and older.id < newer.id;
alter table notifications
    drop constraint notifications_once,
    drop column fraud_status,
    drop column refund_amount,
    add column status_code text not null default '',
    add column gross_amount text not null default '',
    -- The transactions that were named, at most eight of them.
    add column transaction_ids text[] not null default '{}',
    -- How often it came, so that one that comes while it is handled is handled once more.
    add column received integer not null default 1;
update notifications set transaction_ids = array[transaction_id];
alter table notifications
    drop column transaction_id,
    alter column status_code drop default,
    alter column gross_amount drop default,
    alter column transaction_ids drop default,
    add constraint notifications_once unique (midtrans_order_id, status_code, gross_amount);
-- Removal by age.
create index notifications_by_age on notifications (handled_at) where handled_at is not null;

-- A refund by hand is entered once: its reference says which it is.
create unique index refunds_reference_once on refunds (order_id, reference) where reference is not null;
