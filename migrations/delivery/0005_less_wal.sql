-- What every change of a delivery costs in the log. The history has one index instead of two: its rows are only asked for by
-- their delivery. Deliveries find room on their pages for the versions that they have.
alter table delivery_history drop constraint delivery_history_pkey;
drop index delivery_history_of_delivery;
alter table delivery_history add constraint delivery_history_pkey primary key (delivery_id, id);
alter table deliveries set (fillfactor = 60);
