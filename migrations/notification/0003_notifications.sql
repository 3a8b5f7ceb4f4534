-- What customers are sent about their orders, over each channel. Nothing here says who a customer is or how to reach them:
-- that is asked of user-service for each message.

-- What a customer has chosen. Without a row, the service's own language, and everything.
create table preferences (
    user_id bigint not null,
    language text not null,
    -- E-mails that are not about money, and everything that goes over the webhook.
    email boolean not null,
    webhook boolean not null,
    updated_at timestamptz not null default now(),
    constraint preferences_pkey primary key (user_id),
    constraint preferences_language_known check (language in ('en', 'id'))
);

-- One message over one channel. Its row, the event that caused it and the work to send it are one commit.
create table notifications (
    id bigint generated always as identity,
    -- The event that was first about it. With the id it makes the Message-ID, which stays the same however often it is sent.
    event_id uuid not null,
    kind text not null,
    channel text not null,
    order_id bigint not null,
    user_id bigint not null,
    -- Distinguishes what may happen to an order more than once, such as refunds; empty for all else.
    part text not null,
    -- Amounts and numbers for the text.
    details jsonb not null,
    state text not null default 'PENDING',
    -- Why it was not sent: a word of ours, or the code that the server refused it with.
    reason text,
    created_at timestamptz not null default now(),
    -- Since when it has been tried: from here on counts when it is given up.
    due_since timestamptz not null default now(),
    ended_at timestamptz,
    constraint notifications_pkey primary key (id),
    -- An order is told each thing once, even where the event was published again under another id.
    constraint notifications_once unique (order_id, user_id, kind, part, channel),
    constraint notifications_kind_known check (kind in ('order_received', 'payment_due', 'paid', 'shipped', 'delivered',
        'failed', 'cancelled', 'refunded', 'undeliverable')),
    constraint notifications_channel_known check (channel in ('email', 'webhook')),
    constraint notifications_state_known check (state in ('PENDING', 'SENT', 'SUPPRESSED', 'BOUNCED', 'DEAD')),
    constraint notifications_ended_check check ((state = 'PENDING') = (ended_at is null))
);

-- A customer's own, newest first.
create index notifications_of_user on notifications (user_id, id desc);

-- The administrator's lists, such as everything that bounced.
create index notifications_by_state on notifications (state, id desc);

-- Rows come in the order of time, so a few pages of ranges find the old ones.
create index notifications_created_at_idx on notifications using brin (created_at);
