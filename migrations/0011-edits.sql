-- A later entry may change what a message says. The row then holds what it says now; `changed_seq` is the entry that changed
-- it last, `edited_at` when its sender did. Both are empty for as long as nothing has: that costs no row a byte.
ALTER TABLE messages ADD COLUMN changed_seq bigint, ADD COLUMN edited_at timestamptz;
