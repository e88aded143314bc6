-- The feed: what consumers on the server read of all conversations (docs/decisions/0026). A note is left by the commit
-- that writes entries, one for all of them. `place` is drawn while the rows of the conversations are locked, so the
-- places of one conversation rise with its seqs. Each element of the arrays is a conversation: its entries after
-- `afters`, as many as `counts`. The arrays are short-lived and of random bytes: not worth compressing or moving away.
CREATE SEQUENCE feed_places;
CREATE TABLE feed_notes (
  place bigint PRIMARY KEY DEFAULT nextval('feed_places'),
  at timestamptz NOT NULL DEFAULT now(),
  -- The sum of `counts`.
  entries integer NOT NULL,
  conversations uuid[] NOT NULL,
  afters bigint[] NOT NULL,
  counts integer[] NOT NULL
) WITH (toast_tuple_target = 8160);
ALTER SEQUENCE feed_places OWNED BY feed_notes.place;
ALTER TABLE feed_notes ALTER conversations SET STORAGE EXTERNAL, ALTER afters SET STORAGE EXTERNAL,
  ALTER counts SET STORAGE EXTERNAL;

-- How far the notes of a conversation go. What is there already, and what the version before writes while a roll-out is
-- half done, is noted by the worker (log/feed/note.ts).
ALTER TABLE conversations ADD COLUMN fed_seq bigint NOT NULL DEFAULT 0;

-- Where each consumer stands, by part. Whoever takes a part raises `fence`; who had it before can move it no more.
CREATE TABLE feed_positions (
  consumer text NOT NULL,
  part smallint NOT NULL,
  place bigint NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (consumer, part)
);

-- How many entries were written, by day (UTC) and kind: filled from the feed, read by operators.
CREATE TABLE entry_counts (
  day date NOT NULL,
  kind smallint NOT NULL,
  entries bigint NOT NULL,
  PRIMARY KEY (day, kind)
);
