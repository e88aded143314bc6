-- What a conversation is to one of its members, and to nobody else (docs/decisions/0034).

-- Whom messages are pointed out to, each with who does it. Of a message to everybody there is one row, whose `user_id` is the
-- nil UUID. A row is written by the commit of its message, and goes with what it says: it is what mentions are counted by.
CREATE TABLE mentions (
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  user_id uuid NOT NULL,
  sender_id uuid NOT NULL,
  PRIMARY KEY (conversation_id, seq, user_id)
);
CREATE INDEX mentions_user_idx ON mentions (user_id, conversation_id, seq);

-- `notify`: what tells the member of the conversation; empty for what they have said of all. `archived_seq`: the head when they
-- put it away. `pin_rank`: its place among those pinned, the lowest first. `marked_seq`: it counts as unread from there on, or
-- as such where that is 0, until they read beyond `marked_above`. `settings_version` rises with each change of these, so that
-- devices know which they heard of is the later one.
ALTER TABLE members
  ADD COLUMN notify smallint,
  ADD COLUMN archived_seq bigint,
  ADD COLUMN pin_rank double precision,
  ADD COLUMN marked_seq bigint,
  ADD COLUMN marked_above bigint,
  ADD COLUMN settings_version integer NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN notify smallint NOT NULL DEFAULT 1;

-- What a person has begun to write, by conversation and thread (0 is the conversation itself). `at` is when, by their device
-- and never later than the store's clock: the later one stays. One that was emptied has no body, and stays for its time, so
-- that no device brings back an older one.
CREATE TABLE drafts (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  thread bigint NOT NULL DEFAULT 0,
  at timestamptz NOT NULL,
  key_id integer,
  body bytea,
  PRIMARY KEY (user_id, conversation_id, thread)
);
CREATE INDEX drafts_at_idx ON drafts (at);
