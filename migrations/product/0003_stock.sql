-- Units that are set aside for an order. Only what happens to the order changes a hold, never the time.
create table holds (
    order_id bigint not null,
    status text not null,
    -- [{"product_id": 1, "quantity": 2}], each product once: what the order asked for. Units are set aside for it
    -- while it is HELD, and sold while it is SOLD.
    items jsonb not null,
    -- {"reason": .., "items": [..]}: what was missing, to be published again. Null for a tombstone too: an order
    -- that was cancelled before OrderCreated came.
    refusal jsonb,
    -- Why its order ended, once it did.
    cancel_cause text,
    -- The buyer and the price distinguish an order from another that had its number: a restore of order-service's database
    -- gives numbers out again. Null where they are not known: a tombstone has no price.
    user_id bigint,
    total_amount bigint,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint holds_pkey primary key (order_id),
    constraint holds_status_known check (status in ('HELD', 'REFUSED', 'SOLD', 'RELEASED', 'RETURNED')),
    constraint holds_refusal_of_refused check (refusal is null or status = 'REFUSED'),
    constraint holds_cancel_cause_known
        check (cancel_cause in ('customer', 'admin', 'stock', 'payment', 'timeout'))
);

-- The open ones, oldest first: they are few, however long the table is.
create index holds_open_idx on holds (created_at) where status = 'HELD';

-- Every change of the free stock, and every sale: the stock of a product is the sum of its deltas. Rows are only ever
-- added, together with the change that they record. There is no foreign key: products and holds are never removed, and the
-- check would lock a row that everybody buys from.
create table stock_movements (
    id bigint generated always as identity,
    product_id bigint not null,
    delta bigint not null,
    reason text not null,
    order_id bigint,
    -- Free text of the administrator.
    note text,
    at timestamptz not null default now(),
    constraint stock_movements_pkey primary key (id),
    constraint stock_movements_reason_known
        check (reason in ('seed', 'admin', 'hold', 'release', 'sale', 'return')),
    constraint stock_movements_order_of_reason check ((order_id is null) = (reason in ('seed', 'admin'))),
    -- A sale takes nothing out: the units left the free stock when they were held.
    constraint stock_movements_delta_of_reason
        check (case reason when 'hold' then delta < 0 when 'sale' then delta = 0
                           when 'release' then delta > 0 when 'return' then delta > 0
                           -- An administrator may record that the stock was counted and is right.
                           when 'admin' then delta <> 0 or note is not null else delta <> 0 end),
    constraint stock_movements_note_length check (char_length(note) <= 255)
);

-- Nothing is done twice for an order, and what was done for it is found.
create unique index stock_movements_once on stock_movements (order_id, product_id, reason)
    where order_id is not null;
