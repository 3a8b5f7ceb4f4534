-- What a catalogue of a million products needs: no page reads all names, and no list counts all links.

-- The characters of a name, and its pairs of neighbouring ones. One or two letters from the middle of a name are found by
-- them, for which a trigram is too long. It costs more than most functions: it is for the index to call, not for a filter.
create function name_grams(name_key text) returns text[]
    language sql immutable strict parallel safe cost 1000
    as $$
        select array(
            select distinct substr(name_key, at, size) from generate_series(1, char_length(name_key)) at, (values (1), (2)) s (size)
        )
    $$;

create index products_name_grams_idx on products using gin (name_grams(name_key)) where deleted_at is null;

-- How many products are in a category. A trigger counts, so that programs of before this migration do too.
alter table categories add column product_count bigint not null default 0;

update categories c
set product_count = (select count(*) from product_categories l where l.category_id = c.id);

create function count_category_products() returns trigger language plpgsql as $$
begin
    if exists (select from changed) then
        -- One transaction at a time: each locks its categories in an order of its own.
        perform from catalogue_size for update;
        update categories
        set product_count = product_count + links * (case tg_op when 'INSERT' then 1 else -1 end)
        from (select category_id, count(*) as links from changed group by category_id) as counted
        where id = category_id;
    end if;
    return null;
end
$$;

create trigger product_categories_added after insert on product_categories
    referencing new table as changed for each statement execute function count_category_products();
create trigger product_categories_removed after delete on product_categories
    referencing old table as changed for each statement execute function count_category_products();
