-- Why a person closed a dead letter although its event was not handled. Letters that were discarded before have none.
alter table messaging.dead_letters
    add column discard_reason text,
    add constraint dead_letters_reason_of_discarded check (discard_reason is null or discarded_at is not null),
    add constraint dead_letters_reason_length check (char_length(discard_reason) between 1 and 255);
