-- What a message has beside its row, a bit for each: empty for as long as it has nothing, which costs no row a byte. A page
-- reads the tables of those parts that its messages have.
ALTER TABLE messages ADD COLUMN parts smallint;

-- Messages that were ever pinned: `changed_seq` is the entry that said so last, pinned or not.
CREATE TABLE pins (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq bigint NOT NULL,
  pinned boolean NOT NULL,
  changed_seq bigint NOT NULL,
  changed_by uuid NOT NULL,
  PRIMARY KEY (conversation_id, seq)
);
