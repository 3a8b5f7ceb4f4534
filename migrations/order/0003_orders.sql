-- What order-service owns: orders with their lines and their timeline, the replies kept for Idempotency-Keys, the
-- cancellations that wait for an answer, the goods that return into the stock, and who has ever paid.

-- An order. Its status changes only as the contract's table T1 says, and only together with a row of order_history.
create table orders (
    id bigint generated always as identity constraint orders_pkey primary key,
    user_id bigint not null,
    status text not null default 'RECEIVED'
        constraint orders_status_known check (status in (
            'RECEIVED', 'AWAITING_PAYMENT', 'PAID', 'SHIPPED', 'DELIVERED', 'DELIVERY_FAILED', 'FAILED', 'CANCELLED',
            'REFUNDED'
        )),
    -- Whole rupiah.
    total_amount bigint not null
        constraint orders_total_in_range check (total_amount between 1 and 9000000000000000),
    shipping_address jsonb,
    payment_url text,
    payment_expires timestamptz,
    delivery_id bigint,
    refunded_amount bigint,
    failure_reason text,
    -- The outbox row of the event that asks for what comes next: OrderCreated while RECEIVED, OrderPaid while PAID. It is
    -- not published again before it was read.
    awaited_row bigint,
    -- When the cart was read, by cart-service's clock: what was added later is not part of the order.
    cart_read_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- A link to a payment page is shown exactly as long as the order can be paid there.
    constraint orders_page_while_awaiting_payment
        check ((status = 'AWAITING_PAYMENT') = (payment_url is not null and payment_expires is not null))
);

-- A buyer's list, newest first.
create index orders_by_user on orders (user_id, id desc);
-- An administrator's list of one status.
create index orders_by_status on orders (status, id desc);
-- How many unpaid orders a buyer has.
create index orders_open_by_user on orders (user_id) where status in ('RECEIVED', 'AWAITING_PAYMENT');

-- The lines of an order. Name and price are snapshots of the moment of ordering.
create table order_items (
    id bigint generated always as identity constraint order_items_pkey primary key,
    order_id bigint not null constraint order_items_order references orders (id),
    product_id bigint not null,
    name text not null,
    price bigint not null constraint order_items_price_in_range check (price between 1 and 1000000000000),
    quantity integer not null constraint order_items_quantity_in_range check (quantity between 1 and 1000),
    constraint order_items_product_once unique (order_id, product_id)
);

-- The timeline of an order: a row per change, and a note (from and to are the same) for what changed nothing.
create table order_history (
    id bigint generated always as identity constraint order_history_pkey primary key,
    order_id bigint not null constraint order_history_order references orders (id),
    -- The moment, not the start of the transaction: rows of one order are in order by time as well.
    at timestamptz not null default clock_timestamp(),
    from_status text,
    to_status text not null,
    cause text not null,
    detail text
);
create index order_history_by_order on order_history (order_id, id);

-- The reply to a request that carried an Idempotency-Key. The row is inserted first in the business transaction, so
-- that a concurrent duplicate waits for its end, and completed last: a committed row always has its reply.
create table idempotency_keys (
    user_id bigint not null,
    route text not null,
    key text not null,
    -- The parsed body: two bodies are the same if they mean the same.
    request jsonb not null,
    status smallint constraint idempotency_keys_only_success check (status in (201, 202)),
    reply text,
    order_id bigint,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (user_id, route, key)
);
-- Removal by age.
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- A cancellation that another service has to agree to. It is committed before that service is asked, and deleted by the
-- next change of its order, whichever that is: it never outlives the state that it was requested in. A job of the same
-- step asks until there is an answer.
create table cancellations (
    order_id bigint constraint cancellations_pkey primary key constraint cancellations_order references orders (id),
    step text not null constraint cancellations_step_known check (step in ('close_payment', 'stop_delivery')),
    -- Who requested it, and the cause that is published.
    requested_by bigint not null,
    cause text not null constraint cancellations_cause_known check (cause in ('customer', 'admin')),
    reason text,
    requested_at timestamptz not null default now()
);

-- Goods of an undeliverable order, on their way back into the stock: a job for each row asks product-service to take them
-- until it has.
create table stock_returns (
    order_id bigint not null constraint stock_returns_order references orders (id),
    product_id bigint not null,
    quantity integer not null,
    done_at timestamptz,
    constraint stock_returns_pkey primary key (order_id, product_id)
);

-- Buyers who have paid an order once: a page to pay on stays open for longer for them.
create table paying_buyers (
    user_id bigint constraint paying_buyers_pkey primary key,
    first_paid_at timestamptz not null default now()
);
