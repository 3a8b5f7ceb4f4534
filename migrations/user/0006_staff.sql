-- People who run a part of the shop, and accounts that are closed.

alter table users
    -- What somebody runs beside buying; an administrator runs everything.
    add column staff_roles text[] not null default '{}',
    -- Since when nobody can log in; null: somebody can.
    add column disabled_at timestamptz,
    add constraint users_staff_roles_known check (staff_roles <@ array['catalogue', 'fulfilment', 'finance', 'support']);
