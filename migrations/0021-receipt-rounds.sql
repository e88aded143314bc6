-- Conversations of many: when those who wrote their last messages were told how many have received and read them.
CREATE TABLE receipt_rounds (
  conversation_id uuid PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
  told_at timestamptz NOT NULL
) WITH (fillfactor = 80);
