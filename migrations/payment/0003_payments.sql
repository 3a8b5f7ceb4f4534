-- One payment per order. OrderCreated makes the row; the page at Midtrans comes later, once the stock is held.
-- OrderCancelled for an order that is not known yet leaves a tombstone: CANCELLED, without an amount.
create table payments (
    order_id bigint not null,
    user_id bigint not null,
    -- What the order costs, in rupiah. Null only for a tombstone, whose OrderCreated has not come.
    amount bigint,
    status text not null,
    -- When page and payment end; set together with the first link.
    expires_at timestamptz,
    -- How, when and by which transaction it was paid: a later answer about another transaction of the order must not be
    -- applied to this one.
    payment_type text,
    paid_at timestamptz,
    paid_midtrans_order_id text,
    paid_transaction_id text,
    -- What was charged for the order. It differs from amount where an administrator accepted another one, and where a
    -- payment came too late and goes back as it came.
    paid_amount bigint,
    refunded_amount bigint not null default 0,
    -- Set once the order is FAILED or CANCELLED: money that comes from then on goes back.
    order_ended_at timestamptz,
    -- Set once the goods could not be delivered: order-service then waits for all of the money to have gone back, whatever
    -- for.
    undelivered_at timestamptz,
    -- The trace of the purchase: what follows from a much later answer of Midtrans belongs to it.
    correlation_id text not null,
    traceparent text not null,
    -- When Midtrans was last asked because somebody looked.
    asked_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint payments_pkey primary key (order_id),
    constraint payments_status_known check (status in ('PENDING', 'CHALLENGE', 'SUCCESS', 'FAILED', 'CANCELLED',
        'REVIEW', 'REVERSED', 'PARTIALLY_REFUNDED', 'REFUNDED')),
    constraint payments_amount_positive check (amount > 0),
    constraint payments_amount_known check (amount is not null or status <> 'PENDING'),
    constraint payments_paid_amount_positive check (paid_amount > 0),
    constraint payments_paid_as_a_whole
        check (num_nulls(paid_midtrans_order_id, paid_transaction_id, payment_type, paid_at, paid_amount) in (0, 5)),
    constraint payments_refunded_not_negative check (refunded_amount >= 0)
);

-- Those that wait for an administrator: a gauge counts them.
create index payments_in_review on payments (order_id) where status = 'REVIEW';

-- What happened to a payment, in order. Rows are only ever added, in the statement that makes the change.
create table payment_history (
    id bigint generated always as identity,
    order_id bigint not null,
    at timestamptz not null default now(),
    from_status text,
    to_status text not null,
    cause text not null,
    constraint payment_history_pkey primary key (id),
    constraint payment_history_payment_fkey foreign key (order_id) references payments (order_id)
);

create index payment_history_of_payment on payment_history (order_id, id);

-- A page at Midtrans. Its id there must be unique in the merchant's account for ever, across environments and resets of
-- this database, so it is made up of more than the order and never parsed. The row is written before Midtrans is called.
create table payment_attempts (
    midtrans_order_id text not null,
    order_id bigint not null,
    n integer not null,
    -- Midtrans has another payment of this id: it is not used.
    id_taken boolean not null default false,
    -- Both null until Midtrans has made the page.
    token text,
    payment_url text,
    -- What Midtrans said last. The transaction may change: a customer whose card was refused tries another one.
    transaction_id text,
    midtrans_status text,
    payment_type text,
    -- What Midtrans charges for the order, in rupiah, a fee on top left out.
    charged bigint,
    settled_at timestamptz,
    -- Set before Midtrans is asked to close it because the order is being cancelled: the cancel that it then reports, by a
    -- notification that may overtake its answer, is ours and not the customer's.
    closing_at timestamptz,
    -- Who makes the page holds this lease, so that two callers do not revoke each other's page.
    leased_until timestamptz,
    linked_at timestamptz,
    created_at timestamptz not null default now(),
    constraint payment_attempts_pkey primary key (midtrans_order_id),
    constraint payment_attempts_payment_fkey foreign key (order_id) references payments (order_id),
    constraint payment_attempts_numbered unique (order_id, n),
    constraint payment_attempts_id_fits_midtrans check (char_length(midtrans_order_id) between 1 and 50),
    constraint payment_attempts_linked_as_a_whole
        check ((token is null) = (payment_url is null) and (token is null) = (linked_at is null))
);

-- Whose transaction is whose. Of some methods Midtrans does not say which order a transaction belongs to, so that the same
-- one could be counted for two orders: the first attempt that claims it has it for good.
create table transactions (
    transaction_id text not null,
    midtrans_order_id text not null,
    constraint transactions_pkey primary key (transaction_id),
    constraint transactions_attempt_fkey foreign key (midtrans_order_id) references payment_attempts (midtrans_order_id)
);

-- Signed notifications of Midtrans, as hints: a job asks for the status and believes only the answer.
create table notifications (
    id bigint generated always as identity,
    midtrans_order_id text not null,
    status_code text not null,
    gross_amount text not null,
    -- The transactions that were named, at most eight of them.
    transaction_ids text[] not null,
    transaction_status text not null,
    -- How often it came.
    received integer not null default 1,
    received_at timestamptz not null default now(),
    -- When it was last handled: one that comes again is not handled within five seconds of it.
    handled_at timestamptz,
    constraint notifications_pkey primary key (id),
    -- One row per signed content: what is not signed can be written by whoever has seen a notification, and is only a hint.
    constraint notifications_once unique (midtrans_order_id, status_code, gross_amount)
);

-- Removal by age.
create index notifications_by_age on notifications (handled_at) where handled_at is not null;

-- Money that goes back, or must. The row is written first; a job makes the call, again and again with the same key.
create table refunds (
    id bigint generated always as identity,
    order_id bigint not null,
    midtrans_order_id text not null,
    transaction_id text not null,
    -- Makes the refund idempotent at Midtrans.
    refund_key text not null,
    cause text not null,
    amount bigint not null,
    reason text,
    -- MANUAL: Midtrans cannot send it back; somebody has to, and enters the reference. REFUSED: there is nothing left
    -- that could go back.
    state text not null,
    -- How it goes back: a captured card payment is cancelled, a settled payment refunded.
    method text,
    reference text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint refunds_pkey primary key (id),
    constraint refunds_payment_fkey foreign key (order_id) references payments (order_id),
    constraint refunds_attempt_fkey foreign key (midtrans_order_id) references payment_attempts (midtrans_order_id),
    constraint refunds_key_unique unique (refund_key),
    constraint refunds_cause_known check (cause in ('delivery_failed', 'late', 'admin', 'cancelled')),
    constraint refunds_amount_positive check (amount > 0),
    constraint refunds_reason_length check (char_length(reason) between 1 and 255),
    constraint refunds_state_known check (state in ('REQUESTED', 'SENT', 'DONE', 'REFUSED', 'MANUAL')),
    constraint refunds_method_known check (method in ('cancel', 'refund', 'manual')),
    constraint refunds_reference_length check (char_length(reference) between 1 and 255),
    constraint refunds_manual_with_reference
        check (not (state = 'DONE' and method = 'manual') or reference is not null)
);

-- An event that comes twice refunds once. An administrator may refund in parts.
create unique index refunds_once_per_cause on refunds (transaction_id, cause) where cause <> 'admin';
create index refunds_of_payment on refunds (order_id, id);
-- A refund by hand is entered once: its reference says which it is.
create unique index refunds_reference_once on refunds (order_id, reference) where reference is not null;
-- Those that wait for a person: a gauge counts them.
create index refunds_manual on refunds (id) where state = 'MANUAL';

-- Replies to requests with an Idempotency-Key, written in the transaction of what they answer.
create table idempotency_keys (
    user_id bigint not null,
    route text not null,
    key text not null,
    request jsonb not null,
    -- Null only inside the transaction that makes the reply.
    reply jsonb,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (user_id, route, key)
);

create index idempotency_keys_by_age on idempotency_keys (created_at);
