-- One delivery per order. CancelDelivery can come before OrderPaid: then the row is a tombstone, CANCELLED and without an
-- owner, and the delivery never starts.
create table deliveries (
    id bigint generated always as identity,
    order_id bigint not null,
    -- Null only for a tombstone: CancelDelivery may come without the buyer.
    user_id bigint,
    status text not null,
    tracking_number text,
    shipping_address jsonb,
    -- When the order was placed. With the buyer it distinguishes an order from another that had its number: a restore of
    -- order-service's database gives numbers out again. Null only for a tombstone.
    ordered_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint deliveries_pkey primary key (id),
    constraint deliveries_one_per_order unique (order_id),
    constraint deliveries_status_known
        check (status in ('PENDING', 'IN_TRANSIT', 'DELIVERED', 'FAILED', 'CANCELLED')),
    constraint deliveries_owned_unless_tombstone check (user_id is not null or status = 'CANCELLED'),
    constraint deliveries_tracking_number_length check (char_length(tracking_number) between 1 and 64)
);

-- A customer's deliveries, newest first.
create index deliveries_of_user on deliveries (user_id, id desc);

-- The administrator's lists, such as everything that still waits to be sent.
create index deliveries_by_status on deliveries (status, id desc);

-- The changes of a delivery, in order. Rows are only ever added, together with the change that they record.
create table delivery_history (
    id bigint generated always as identity,
    delivery_id bigint not null,
    at timestamptz not null default now(),
    status text not null,
    note text,
    constraint delivery_history_pkey primary key (id),
    constraint delivery_history_delivery_fkey foreign key (delivery_id) references deliveries (id),
    constraint delivery_history_status_known
        check (status in ('PENDING', 'IN_TRANSIT', 'DELIVERED', 'FAILED', 'CANCELLED')),
    constraint delivery_history_note_length check (char_length(note) between 1 and 255)
);

create index delivery_history_of_delivery on delivery_history (delivery_id, id);
