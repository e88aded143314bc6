-- What somebody has on a message, and which version of the message's reactions said so. The row stays when all is taken
-- back, so that a page can tell it. `changed_seq` is the entry that said it last; none in a large conversation.
CREATE TABLE reactions (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq bigint NOT NULL,
  user_id uuid NOT NULL,
  emojis text[] NOT NULL,
  version integer NOT NULL,
  changed_seq bigint,
  PRIMARY KEY (conversation_id, seq, user_id)
) WITH (fillfactor = 90);

-- How many have reacted to a message with what, as two arrays of one length. `untold`: the members of a large conversation
-- have not heard of it yet.
CREATE TABLE reaction_counts (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq bigint NOT NULL,
  version integer NOT NULL,
  emojis text[] NOT NULL,
  counts integer[] NOT NULL,
  untold boolean NOT NULL DEFAULT false,
  PRIMARY KEY (conversation_id, seq)
) WITH (fillfactor = 80);
CREATE INDEX reaction_counts_untold ON reaction_counts (conversation_id, seq) WHERE untold;

-- Large conversations: who reacted last, when the members were last told, and when they are to be told again, if anything
-- is untold.
CREATE TABLE reaction_rounds (
  conversation_id uuid PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
  last_by uuid NOT NULL,
  told_at timestamptz NOT NULL DEFAULT '-infinity',
  due_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX reaction_rounds_due ON reaction_rounds (due_at) WHERE due_at IS NOT NULL;

-- Messages that somebody has marked for themselves.
CREATE TABLE stars (
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq bigint NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  starred_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (conversation_id, seq, user_id)
);
CREATE INDEX stars_of_user ON stars (user_id, id);
