-- What reconciliation needs to know of an order beside when it is due.
alter table orders
    -- How often it was looked at since it last changed: the pauses between two looks grow with it.
    add column checks integer not null default 0,
    -- The outbox row of the event that asks for what comes next: OrderCreated while RECEIVED, OrderPaid while PAID. It is
    -- not published again before it was read.
    add column awaited_row bigint,
    -- When the cart was read, by cart-service's clock: what was added later is not part of the order.
    add column cart_read_at timestamptz;

-- What is due, of each status by itself: many orders of one status hold up none of another.
create index orders_due on orders (status, check_at) where check_at is not null;
drop index orders_to_check;

-- A cancellation that another service has to agree to. It is committed before that service is asked, and goes with the
-- next change of its order, whatever that is: it never outlives what it was meant for.
create table cancellations (
    order_id bigint constraint cancellations_pkey primary key constraint cancellations_order references orders (id),
    step text not null constraint cancellations_step_known check (step in ('close_payment', 'stop_delivery')),
    -- Who asked for it, and the cause that is published.
    requested_by bigint not null,
    cause text not null constraint cancellations_cause_known check (cause in ('customer', 'admin')),
    reason text,
    requested_at timestamptz not null default now(),
    tries integer not null default 0,
    -- When it is taken up next; while it is worked on, the end of the lease.
    run_at timestamptz not null
);
create index cancellations_due on cancellations (step, run_at);

-- Buyers who have paid an order once: a page to pay on stays open for longer for them.
create table paying_buyers (
    user_id bigint constraint paying_buyers_pkey primary key,
    first_paid_at timestamptz not null default now()
);
insert into paying_buyers (user_id, first_paid_at)
select orders.user_id, min(entry.at)
from order_history as entry
join orders on orders.id = entry.order_id
where entry.to_status = 'PAID'
group by orders.user_id;
