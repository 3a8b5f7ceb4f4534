-- A million products with names of three words and a number, in sixteen of twenty categories.
insert into categories (name, name_key)
select 'Category ' || n, 'category ' || n from generate_series(1, 20) n;

insert into products (name, name_key, description, price, stock, created_at)
select name, lower(name), repeat('What there is to say about it. ', 8),
       1000 * (1 + (hashint8(n)::bigint & 2047)), hashint8(n + 7)::bigint & 255,
       timestamptz '2025-01-01' + n * interval '10 seconds'
from generate_series(1, 1000000) n,
     lateral (select w[1 + (hashint8(n + 1)::bigint & 63)] || ' ' || w[1 + (hashint8(n + 2)::bigint & 63)] || ' '
                  || w[1 + (hashint8(n + 3)::bigint & 63)] || ' ' || n as name
              from (select array['Kopi','Teh','Gula','Beras','Batik','Sarung','Sepatu','Sandal','Tas','Topi','Kemeja',
                  'Celana','Jaket','Kaus','Meja','Kursi','Lemari','Rak','Lampu','Kipas','Panci','Wajan','Piring','Gelas',
                  'Sendok','Garpu','Pisau','Buku','Pensil','Pulpen','Kertas','Kotak','Botol','Ember','Sapu','Kain',
                  'Bantal','Guling','Selimut','Handuk','Sabun','Sampo','Sikat','Cermin','Jam','Kamera','Layar','Papan',
                  'Tetikus','Kabel','Baterai','Pengisi','Gitar','Suling','Bola','Raket','Jaring','Tenda','Matras',
                  'Senter','Toraja','Gayo','Bali','Lombok']) words (w)) named;

insert into product_categories (product_id, category_id)
select id, (select min(id) from categories) + (hashint8(id + 5)::bigint & 15) from products;
update catalogue_size set products = (select count(*) from products where deleted_at is null);
insert into stock_movements (product_id, delta, reason) select id, stock, 'seed' from products where stock > 0;
