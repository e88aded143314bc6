-- What happens at a time: messages that disappear, messages that are sent later, reminders.

-- How long messages of a conversation last; without it they stay. It is read with the membership, so setting it raises
-- `version`. A message carries its own end, and nothing posted without a timer costs a byte more.
ALTER TABLE conversations ADD COLUMN timer_ms bigint;
ALTER TABLE messages ADD COLUMN expires_at timestamptz;

-- Where the worker finds what is to be erased: written with a message that has an end, and with no other.
CREATE TABLE expiring_messages (
  conversation_id uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (conversation_id, expires_at, seq)
);
CREATE INDEX expiring_messages_due_idx ON expiring_messages (expires_at);

-- Messages that are sent later. `id` is the person's own and becomes the clientId of the message, so that it is sent once
-- (libs/chat/src/log/scheduled). `wall` is the time on the clock of `zone`, and `rules` the version of the rules of zones
-- that `due_at` was reckoned by. A claim is not taken back: whoever edits or cancels comes before it or not at all.
CREATE TABLE scheduled_messages (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  due_at timestamptz NOT NULL,
  wall text,
  zone text,
  rules text,
  reply_to bigint,
  key_id integer NOT NULL,
  body bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Not before: when it is due, after a claim, or later again because it could not be sent. Empty once it has failed.
  attempt_at timestamptz,
  attempt_count integer NOT NULL DEFAULT 0,
  claimed_at timestamptz,
  failure text,
  PRIMARY KEY (user_id, id)
);
CREATE INDEX scheduled_messages_attempt_idx ON scheduled_messages (attempt_at) WHERE attempt_at IS NOT NULL;
CREATE INDEX scheduled_messages_conversation_idx ON scheduled_messages (conversation_id);

-- One for a person and a message.
CREATE TABLE reminders (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  due_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, conversation_id, seq)
);
CREATE INDEX reminders_due_idx ON reminders (due_at);
CREATE INDEX reminders_conversation_idx ON reminders (conversation_id);
