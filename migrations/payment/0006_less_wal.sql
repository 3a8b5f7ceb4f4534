-- What every change of a payment costs in the log. The history has one index instead of two: its rows are only asked for by
-- their payment. Payments and attempts find room on their pages for the versions that they have.
alter table payment_history drop constraint payment_history_pkey;
drop index payment_history_of_payment;
alter table payment_history add constraint payment_history_pkey primary key (order_id, id);
alter table payments set (fillfactor = 60);
alter table payment_attempts set (fillfactor = 60);
alter table notifications set (fillfactor = 70);
