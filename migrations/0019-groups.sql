-- What a group is set to beside its name. `settings` holds what was ever said; the rest is as it always was (access.ts).
ALTER TABLE conversations
  ADD COLUMN description text NOT NULL DEFAULT '',
  ADD COLUMN avatar uuid,
  ADD COLUMN settings jsonb NOT NULL DEFAULT '{}';
-- By which entry a member came who sees what was before it; empty where that is `joined_seq`.
ALTER TABLE members ADD COLUMN entered_seq bigint;

-- Who may read a group and not post. Apart from the members, so that nobody gets rid of it by leaving.
CREATE TABLE group_silences (
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  until timestamptz NOT NULL,
  PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX group_silences_user ON group_silences (user_id);
CREATE INDEX group_silences_until ON group_silences (until);

CREATE TABLE group_bans (
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  by_id uuid REFERENCES users (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX group_bans_user ON group_bans (user_id);
CREATE INDEX group_bans_by ON group_bans (by_id);

-- When plain members of groups in slow mode last posted, and with which clientId: a repetition is no second message.
-- A row is of use for a day at the most.
CREATE TABLE slow_posts (
  user_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  client_id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, conversation_id)
);
CREATE INDEX slow_posts_at ON slow_posts (at);

CREATE TABLE invite_links (
  id uuid PRIMARY KEY,
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  token_hash bytea NOT NULL UNIQUE,
  by_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  uses_max integer,
  used_count integer NOT NULL DEFAULT 0,
  approval boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX invite_links_conversation ON invite_links (conversation_id, created_at);
CREATE INDEX invite_links_by ON invite_links (by_id);
CREATE INDEX invite_links_expires ON invite_links (expires_at);

-- Who asks to be let into a group, or was declined and may not ask again yet.
CREATE TABLE join_requests (
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  declined boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX join_requests_user ON join_requests (user_id);
