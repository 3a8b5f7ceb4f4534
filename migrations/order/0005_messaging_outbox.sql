-- A row of the outbox is written twice: when it is appended, and when it has left. With room for its second version on the
-- page of the first, the log of the second has only what has changed.
alter table messaging.outbox set (fillfactor = 50);
