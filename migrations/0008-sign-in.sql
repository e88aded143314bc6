-- An address finds contacts only, for accounts that are made from now on; the others keep what they have.
ALTER TABLE users ALTER COLUMN found_by_email_to SET DEFAULT 2;

-- Whether a line of the trail was told by mail, so that many of one kind are told once.
ALTER TABLE security_events ADD COLUMN told boolean NOT NULL DEFAULT false;

-- Names that look alike (users/lookalike.ts). Not unique: there may be such accounts already.
CREATE INDEX users_username_lookalike_idx
  ON users (replace(lower(translate(username COLLATE "C", '01I', 'Oll') COLLATE "C"), 'm', 'rn'));

-- Names that were given up, or whose owner was erased: nobody else gets them for a time. By a hash: of who is erased no
-- name stays.
CREATE TABLE held_names (
  name_hash bytea PRIMARY KEY,
  -- Who may take it back; nobody when they were erased.
  user_id uuid REFERENCES users ON DELETE SET NULL,
  freed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX held_names_user_idx ON held_names (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX held_names_freed_idx ON held_names (freed_at);

CREATE TABLE invitations (
  id uuid PRIMARY KEY,
  code_hash bytea NOT NULL UNIQUE,
  -- Who made it.
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  by_operator boolean NOT NULL,
  uses_max integer NOT NULL,
  used_count integer NOT NULL DEFAULT 0 CHECK (used_count <= uses_max),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX invitations_user_idx ON invitations (user_id, created_at);
CREATE INDEX invitations_expires_idx ON invitations (expires_at);
