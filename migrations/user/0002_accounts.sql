-- Accounts, the sessions in which they are logged in, and their address books.

create table users (
    id bigint generated always as identity,
    -- As they were typed; what counts for identity is the lower case, see the indexes.
    username text not null,
    email text not null,
    -- A PHC string: algorithm, parameters, salt and hash.
    password_hash text not null,
    role text not null default 'user',
    created_at timestamptz not null default now(),
    constraint users_pkey primary key (id),
    constraint users_role_check check (role in ('user', 'admin'))
);

-- Ani@Example.com and ani@example.com are one person. The index's name says which one was violated.
create unique index users_email_key on users (lower(email));
create unique index users_username_key on users (lower(username));
-- Whether there is an administrator is asked at every start.
create index users_admin_idx on users (id) where role = 'admin';

-- A session lives as long as its row: ending one deletes it.
create table sessions (
    id bigint generated always as identity,
    -- What access tokens carry. Random, so that a restored database never reuses one that had ended.
    sid uuid not null,
    user_id bigint not null,
    -- With the server's key it makes every refresh token of the chain, so no token has to be stored.
    salt bytea not null,
    -- The User-Agent header, for its owner to recognise the session by.
    user_agent text,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    -- Extended by every refresh.
    expires_at timestamptz not null,
    constraint sessions_pkey primary key (id),
    constraint sessions_sid_key unique (sid),
    constraint sessions_user_id_fkey foreign key (user_id) references users (id) on delete cascade
);

create index sessions_user_id_idx on sessions (user_id);
create index sessions_expires_at_idx on sessions (expires_at);

-- The chain of a session's refresh tokens, as hashes: token n was spent when token n + 1 was given out.
create table refresh_tokens (
    session_id bigint not null,
    n integer not null,
    token_hash bytea not null,
    -- A token that is shown again long after this is stolen, or its session's owner was robbed of a newer one.
    used_at timestamptz,
    constraint refresh_tokens_pkey primary key (session_id, n),
    constraint refresh_tokens_token_hash_key unique (token_hash),
    constraint refresh_tokens_session_id_fkey foreign key (session_id) references sessions (id) on delete cascade
);

-- For the purge of expired tokens.
create index refresh_tokens_used_at_idx on refresh_tokens (used_at) where used_at is not null;

create table addresses (
    id bigint generated always as identity,
    user_id bigint not null,
    label text,
    recipient text not null,
    phone text not null,
    street text not null,
    city text not null,
    province text,
    postal_code text not null,
    country text not null,
    is_default boolean not null default false,
    constraint addresses_pkey primary key (id),
    constraint addresses_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint addresses_country_check check (country ~ '^[A-Z]{2}$')
);

create index addresses_user_id_idx on addresses (user_id, id);
create unique index addresses_default_key on addresses (user_id) where is_default;
