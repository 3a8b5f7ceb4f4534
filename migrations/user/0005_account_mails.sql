-- E-mails about accounts, and whether the owner of an account reads the address that it has.

alter table users
    -- When the owner last showed that the present address is theirs; null: not yet.
    add column email_verified_at timestamptz,
    -- A login on a new device is worth a message, but not the very first one. Accounts that are older than this column
    -- have logged in, for all we know.
    add column has_logged_in boolean not null default true;

-- An e-mail that was asked for. What it says, and to whom, is here and nowhere else; notification-service asks for it when it
-- sends it. The row goes when its token is used, or once it has expired.
create table account_mails (
    id uuid not null,
    kind text not null,
    -- Null: somebody asked for an address that nobody has. Nothing is sent, but that took as long as it always does; which is
    -- also why there is no foreign key, whose check would take its time for some addresses only.
    user_id bigint,
    -- Where it goes, and what its token proves.
    email text,
    -- With the server's key it makes the token, so that the token has not to be stored.
    salt bytea not null,
    -- Null: it asks for nothing.
    token_hash bytea,
    -- What the client of a new login called itself.
    device text,
    requested_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint account_mails_pkey primary key (id),
    constraint account_mails_token_hash_key unique (token_hash),
    constraint account_mails_kind_known check (kind in ('verify_email', 'reset_password', 'confirm_email', 'email_changed',
        'new_login')),
    constraint account_mails_email_check check ((user_id is null) = (email is null))
);

create index account_mails_user_id_idx on account_mails (user_id);
create index account_mails_expires_at_idx on account_mails (expires_at);
