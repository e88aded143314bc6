-- People in full: how they sign in, what they show, whom they know, what is pushed to them, and the jobs of the worker.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- `email` is an address that its owner has proved; nothing unproved is ever written here. The numbers of `…_to` are
-- those of access.ts: 1 everyone, 2 contacts, 3 nobody. `hidden_at` is when the person last hid something from
-- somebody (privacy, a block): nodes ask once a second for what is recent. `search_text` is what folding makes of the
-- names (users/fold.ts).
ALTER TABLE users
  ADD COLUMN email text,
  ADD COLUMN about text NOT NULL DEFAULT '',
  ADD COLUMN avatar uuid,
  ADD COLUMN search_text text NOT NULL DEFAULT '',
  ADD COLUMN last_seen_at timestamptz,
  ADD COLUMN last_seen_to smallint NOT NULL DEFAULT 1,
  ADD COLUMN read_receipts_to smallint NOT NULL DEFAULT 1,
  ADD COLUMN found_by_email_to smallint NOT NULL DEFAULT 1,
  ADD COLUMN direct_from smallint,
  ADD COLUMN hidden_at timestamptz,
  ADD COLUMN push_names boolean NOT NULL DEFAULT true,
  ADD COLUMN quiet_from smallint,
  ADD COLUMN quiet_until smallint,
  ADD COLUMN quiet_zone text,
  ADD COLUMN mail_factor boolean NOT NULL DEFAULT false,
  ADD COLUMN delete_after timestamptz,
  ADD COLUMN erased_at timestamptz,
  ADD CONSTRAINT users_quiet_check CHECK (num_nonnulls(quiet_from, quiet_until, quiet_zone) IN (0, 3));
-- As near to fold.ts as SQL comes; a name in another script is found when it is next written.
UPDATE users SET search_text =
  lower(regexp_replace(normalize(username || ' ' || display_name, NFKD), '[\u0300-\u036f]', '', 'g'));
-- `last_seen_at` changes often and stands in no index: with room on its page, a row is updated in place.
ALTER TABLE users SET (fillfactor = 85);
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX users_search_idx ON users USING gin (search_text gin_trgm_ops);
CREATE INDEX users_hidden_idx ON users (hidden_at) WHERE hidden_at IS NOT NULL;
CREATE INDEX users_delete_idx ON users (delete_after) WHERE delete_after IS NOT NULL;

-- What a person recognises a sign-in by. `proved_at`: when they last showed who they are, for what demands a fresh
-- proof. `refreshed_by` and `refresh_attempt` tell a second tab and a repeated request from a thief.
ALTER TABLE sessions
  ADD COLUMN signed_in_by text NOT NULL DEFAULT 'password',
  ADD COLUMN address text NOT NULL DEFAULT '',
  ADD COLUMN country text NOT NULL DEFAULT '',
  ADD COLUMN agent text NOT NULL DEFAULT '',
  ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN proved_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN refreshed_by bytea,
  ADD COLUMN refresh_attempt uuid;

-- One-time codes by mail. The row is the request: a code is worth something only together with its id. For an address
-- that nobody has there is a row all the same, so that neither the answer nor its time tells.
CREATE TABLE codes (
  id uuid PRIMARY KEY,
  purpose text NOT NULL,
  email text NOT NULL,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  code_mac bytea NOT NULL,
  tries_left smallint NOT NULL,
  sent_count smallint NOT NULL DEFAULT 1,
  resend_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX codes_user_idx ON codes (user_id);
CREATE INDEX codes_email_idx ON codes (lower(email), purpose);
CREATE INDEX codes_expires_idx ON codes (expires_at);

-- Something that was begun and waits for its second step: a second factor, a passkey ceremony, a visit at a provider.
CREATE TABLE challenges (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  data jsonb NOT NULL DEFAULT '{}',
  tries_left smallint NOT NULL DEFAULT 5,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX challenges_user_idx ON challenges (user_id);
CREATE INDEX challenges_expires_idx ON challenges (expires_at);

-- `last_step` is the time step of the code that was used last: each is good once.
CREATE TABLE totp_factors (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  key_id integer NOT NULL,
  secret bytea NOT NULL,
  last_step bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  confirmed_at timestamptz
);

CREATE TABLE recovery_codes (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  code_hash bytea NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE passkeys (
  id text PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL,
  public_key bytea NOT NULL,
  counter bigint NOT NULL,
  transports text NOT NULL DEFAULT '',
  synced boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz
);
CREATE INDEX passkeys_user_idx ON passkeys (user_id);

-- Who somebody is elsewhere: the pair of issuer and subject, never the address.
CREATE TABLE identities (
  issuer text NOT NULL,
  subject text NOT NULL,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider text NOT NULL,
  name text NOT NULL DEFAULT '',
  email text,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX identities_user_key ON identities (user_id, provider);

-- The audit trail of a person. Written once, never changed.
CREATE TABLE security_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  session_id uuid,
  address text NOT NULL DEFAULT '',
  country text NOT NULL DEFAULT '',
  agent text NOT NULL DEFAULT '',
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX security_events_user_idx ON security_events (user_id, id);
CREATE INDEX security_events_at_idx ON security_events (at);

-- Both directions have a row.
CREATE TABLE contacts (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  contact_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, contact_id),
  CHECK (user_id <> contact_id)
);
CREATE INDEX contacts_contact_idx ON contacts (contact_id);

-- Open requests only; what was decided is gone from here.
CREATE TABLE contact_requests (
  id uuid PRIMARY KEY,
  from_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  to_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (from_id <> to_id)
);
CREATE UNIQUE INDEX contact_requests_pair_key ON contact_requests (from_id, to_id);
CREATE INDEX contact_requests_to_idx ON contact_requests (to_id, created_at, id);
CREATE INDEX contact_requests_from_idx ON contact_requests (from_id, created_at, id);

CREATE TABLE blocks (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  blocked_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, blocked_id),
  CHECK (user_id <> blocked_id)
);
CREATE INDEX blocks_blocked_idx ON blocks (blocked_id);

-- The operators' queue. Of a reported message a sealed copy is kept, so that it can be judged although it was deleted.
CREATE TABLE reports (
  id uuid PRIMARY KEY,
  reporter_id uuid REFERENCES users (id) ON DELETE SET NULL,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  conversation_id uuid,
  seq bigint,
  reason text NOT NULL,
  comment text NOT NULL DEFAULT '',
  key_id integer,
  body bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  decision text,
  decision_note text NOT NULL DEFAULT '',
  decided_at timestamptz,
  decided_by uuid
);
-- Of the same thing one person has one open report. Reports whose author was erased are nobody's.
CREATE UNIQUE INDEX reports_open_key ON reports (
  reporter_id, user_id, coalesce(conversation_id, '00000000-0000-0000-0000-000000000000'), coalesce(seq, 0)
) WHERE decision IS NULL;
CREATE INDEX reports_open_idx ON reports (created_at, id) WHERE decision IS NULL;
CREATE INDEX reports_user_idx ON reports (user_id);
CREATE INDEX reports_reporter_idx ON reports (reporter_id);

-- Where a push goes. A device belongs to a sign-in and is worth nothing when that has ended.
CREATE TABLE devices (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  name text NOT NULL,
  platform text NOT NULL,
  provider text NOT NULL,
  token text NOT NULL,
  web_keys jsonb,
  token_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX devices_token_key ON devices (token_hash);
CREATE INDEX devices_user_idx ON devices (user_id);
CREATE INDEX devices_session_idx ON devices (session_id);

-- `dedup` makes a repeated note of the same thing one row. The unread are counted by person, and read with their
-- conversation.
CREATE TABLE notifications (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind text NOT NULL,
  dedup text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  actor_id uuid,
  conversation_id uuid,
  seq bigint,
  detail jsonb NOT NULL DEFAULT '{}',
  read_at timestamptz
);
CREATE UNIQUE INDEX notifications_dedup_key ON notifications (user_id, dedup);
CREATE INDEX notifications_user_idx ON notifications (user_id, at, id);
CREATE INDEX notifications_unread_idx ON notifications (user_id, conversation_id, seq) WHERE read_at IS NULL;
CREATE INDEX notifications_at_idx ON notifications (at);

-- What the worker has not yet looked at. The partial index holds only that.
ALTER TABLE offline_messages ADD COLUMN push_due boolean NOT NULL DEFAULT true;
UPDATE offline_messages SET push_due = false;
CREATE INDEX offline_messages_push_idx ON offline_messages (user_id, conversation_id) WHERE push_due;

-- One row for each person and conversation that something is to be pushed about: what comes meanwhile joins it.
-- `pushed_at` is the time of the last push, from which the collapse window is counted.
CREATE TABLE pushes (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  from_seq bigint NOT NULL,
  upto_seq bigint NOT NULL,
  first_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz,
  pushed_at timestamptz,
  PRIMARY KEY (user_id, conversation_id)
);
CREATE INDEX pushes_due_idx ON pushes (due_at) WHERE due_at IS NOT NULL;

-- A push on its way to one device, and afterwards its trace: from which messages it came, every attempt and answer.
CREATE TABLE push_deliveries (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  conversation_id uuid NOT NULL,
  device_id uuid NOT NULL,
  provider text NOT NULL,
  from_seq bigint NOT NULL,
  upto_seq bigint NOT NULL,
  message_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  state text NOT NULL,
  attempts jsonb NOT NULL DEFAULT '[]',
  attempt_count smallint NOT NULL DEFAULT 0,
  due_at timestamptz,
  claimed_until timestamptz,
  finished_at timestamptz
);
-- A device waits for at most one push about a conversation: what comes meanwhile joins it.
CREATE UNIQUE INDEX push_deliveries_waiting_key ON push_deliveries (device_id, conversation_id) WHERE state = 'waiting';
CREATE INDEX push_deliveries_due_idx ON push_deliveries (provider, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX push_deliveries_conversation_idx ON push_deliveries (conversation_id, device_id);
CREATE INDEX push_deliveries_user_idx ON push_deliveries (user_id, created_at);
CREATE INDEX push_deliveries_dead_idx ON push_deliveries (finished_at, id) WHERE state = 'dead';
CREATE INDEX push_deliveries_created_idx ON push_deliveries (created_at);

-- Work for later, sealed: it can hold a code or an address.
CREATE TABLE jobs (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  key_id integer NOT NULL,
  body bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz NOT NULL DEFAULT now(),
  attempt_count smallint NOT NULL DEFAULT 0,
  error text,
  dead_at timestamptz
);
CREATE INDEX jobs_due_idx ON jobs (due_at) WHERE dead_at IS NULL;
CREATE INDEX jobs_dead_idx ON jobs (dead_at, id) WHERE dead_at IS NOT NULL;

-- Uploads that were promised and not yet taken over; what is left lying is deleted after `expires_at`.
CREATE TABLE uploads (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX uploads_user_idx ON uploads (user_id);
CREATE INDEX uploads_expires_idx ON uploads (expires_at);
