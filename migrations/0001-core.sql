-- The core: people, sign-ins, conversations and their logs. docs/architecture.md says what each table promises.

-- One row. `identity` names the running store (cluster and timeline); when it changes, the store was restored or
-- promoted, and `epoch` rises, so that no device trusts a cursor of the store before.
CREATE TABLE store (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch integer NOT NULL DEFAULT 1,
  identity text NOT NULL DEFAULT ''
);
INSERT INTO store DEFAULT VALUES;

CREATE TABLE users (
  id uuid PRIMARY KEY,
  username text NOT NULL,
  display_name text NOT NULL,
  password_hash text,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_username_key ON users (lower(username));

-- A sign-in. `refresh_number` is the number of the only refresh token that is good; the one before it is tolerated
-- for a moment (two tabs), any other ends the session. No secret of a token is stored.
CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  device_name text NOT NULL,
  refresh_number integer NOT NULL DEFAULT 1,
  refreshed_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX sessions_user_idx ON sessions (user_id);
-- Nodes ask once a second what was revoked lately; the index holds only that.
CREATE INDEX sessions_revoked_idx ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- `head_seq`, `head_at` and `version` are not indexed and the pages have room: a send updates the row in place (HOT).
-- `version` counts the changes of membership: a send names the version that it decided by, and is refused if it is old.
CREATE TABLE conversations (
  id uuid PRIMARY KEY,
  kind smallint NOT NULL,
  name text,
  head_seq bigint NOT NULL DEFAULT 0,
  head_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  member_count integer NOT NULL DEFAULT 0,
  large_since timestamptz,
  direct_low uuid,
  direct_high uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((kind = 1) = (direct_low IS NOT NULL AND direct_high IS NOT NULL)),
  CHECK (direct_low IS NULL OR direct_low <= direct_high)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX conversations_direct_key ON conversations (direct_low, direct_high) WHERE kind = 1;

CREATE TABLE members (
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role smallint NOT NULL,
  joined_seq bigint NOT NULL,
  delivered_seq bigint NOT NULL DEFAULT 0,
  read_seq bigint NOT NULL DEFAULT 0,
  muted_until timestamptz,
  PRIMARY KEY (conversation_id, user_id),
  CHECK (read_seq <= delivered_seq)
) WITH (fillfactor = 70);
CREATE INDEX members_user_idx ON members (user_id, conversation_id);

-- The keys that bodies are sealed with, themselves wrapped by the master key named.
CREATE TABLE data_keys (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  master_key_id text NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The log's entries. No foreign keys: the locked conversation row vouches for them, and a check a row would cost more
-- than the insert. `body` is sealed: nonce, cipher text and tag over the JSON of what the kind carries.
CREATE TABLE messages (
  conversation_id uuid NOT NULL,
  seq bigint NOT NULL,
  created_at timestamptz NOT NULL,
  sender_id uuid NOT NULL,
  client_id uuid NOT NULL,
  reply_to bigint,
  key_id integer NOT NULL,
  kind smallint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (conversation_id, seq),
  CONSTRAINT messages_client_key UNIQUE (conversation_id, sender_id, client_id)
) PARTITION BY HASH (conversation_id);

DO $$
BEGIN
  FOR part IN 0..31 LOOP
    EXECUTE format(
      'CREATE TABLE messages_%s PARTITION OF messages FOR VALUES WITH (MODULUS 32, REMAINDER %s)',
      lpad(part::text, 2, '0'), part);
  END LOOP;
END $$;

-- What is owed to people without a live connection: an index, not a copy. Partitions by day are made ahead by
-- `offline.ensurePartitions`; the default one takes what has no day of its own, so that a send never fails for it.
CREATE TABLE offline_messages (
  user_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  seq bigint NOT NULL,
  day date NOT NULL DEFAULT current_date,
  PRIMARY KEY (user_id, conversation_id, seq, day)
) PARTITION BY RANGE (day);
CREATE TABLE offline_messages_default PARTITION OF offline_messages DEFAULT;
