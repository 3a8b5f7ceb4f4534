-- When a category came, and when it was renamed last. Those that exist begin now.
alter table categories
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now();

-- The rule by which the keys of names were made: the service makes them anew when it starts with another one. 0 was
-- lower case, in which a letter depends on its neighbours.
alter table catalogue_size add column name_key_rule smallint not null default 0;

-- An administrator may record that the stock was counted and is right: a change of nothing, with a note. Rows that exist
-- kept the stricter rule, so that there is no reason to read them all again.
alter table stock_movements drop constraint stock_movements_delta_of_reason;
alter table stock_movements add constraint stock_movements_delta_of_reason
    check (case reason when 'hold' then delta < 0 when 'sale' then delta = 0
                       when 'release' then delta > 0 when 'return' then delta > 0
                       when 'admin' then delta <> 0 or note is not null else delta <> 0 end) not valid;
