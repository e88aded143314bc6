-- When what a message said was taken away: then it is unread no more, and no push counts it. What was removed before this
-- column knows it by its body alone.
ALTER TABLE messages ADD COLUMN removed_at timestamptz;

-- What messages said before they were edited, as it was sealed in their rows, where the deployment keeps that. `said_seq` is
-- the entry that said it; `user_id` is who wrote it.
CREATE TABLE message_versions (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq bigint NOT NULL,
  said_seq bigint NOT NULL,
  said_at timestamptz NOT NULL,
  user_id uuid NOT NULL,
  key_id integer NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (conversation_id, seq, said_seq)
);
CREATE INDEX message_versions_user_idx ON message_versions (user_id, conversation_id, seq, said_seq);

-- Up to here a member has cleared the conversation for themselves; and single messages that they have hidden. It ends with
-- the membership: whoever comes back sees nothing of before.
ALTER TABLE members ADD COLUMN cleared_seq bigint NOT NULL DEFAULT 0;
CREATE TABLE hidden_messages (
  conversation_id uuid NOT NULL,
  user_id uuid NOT NULL,
  seq bigint NOT NULL,
  hidden_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (conversation_id, user_id, seq),
  FOREIGN KEY (conversation_id, user_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX hidden_messages_user_idx ON hidden_messages (user_id, hidden_at, conversation_id, seq);
