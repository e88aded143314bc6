-- The thread in which alone a message is shown: empty for all others, which costs no row a byte.
ALTER TABLE messages ADD COLUMN aside_of bigint;

-- Messages that a thread hangs on. `replies` are those that stand; `people`, who answered last, the latest first.
CREATE TABLE threads (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  root_seq bigint NOT NULL,
  replies integer NOT NULL,
  last_seq bigint NOT NULL,
  moved_at timestamptz NOT NULL,
  changed_seq bigint NOT NULL,
  people uuid[] NOT NULL,
  PRIMARY KEY (conversation_id, root_seq)
);

-- The index of each thread: its messages are rows of `messages`. `aside`: shown in the thread alone.
CREATE TABLE thread_replies (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  root_seq bigint NOT NULL,
  seq bigint NOT NULL,
  sender_id uuid NOT NULL,
  aside boolean NOT NULL,
  removed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (conversation_id, root_seq, seq)
);

-- Who follows a thread, or did, and how far they have read there.
CREATE TABLE thread_follows (
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  root_seq bigint NOT NULL,
  following boolean NOT NULL,
  read_seq bigint NOT NULL,
  PRIMARY KEY (user_id, conversation_id, root_seq)
);
CREATE INDEX thread_followers ON thread_follows (conversation_id, root_seq) WHERE following;

-- Polls in which somebody has voted, or which somebody has closed: how they stand, and what the log says of it.
CREATE TABLE polls (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq bigint NOT NULL,
  anonymous boolean NOT NULL,
  counts integer[] NOT NULL,
  voters integer NOT NULL,
  told_seq bigint NOT NULL,
  told_counts integer[] NOT NULL,
  told_voters integer NOT NULL,
  told_at timestamptz NOT NULL,
  tell_due timestamptz,
  closed_seq bigint,
  PRIMARY KEY (conversation_id, seq)
);

-- What each person has voted for: nothing when they took it back, and null where it is not kept. `client_ids` are those of
-- votes that are no entries.
CREATE TABLE poll_votes (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq bigint NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  options smallint[],
  client_ids uuid[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (conversation_id, seq, user_id)
);
CREATE INDEX poll_votes_of_user ON poll_votes (user_id);
