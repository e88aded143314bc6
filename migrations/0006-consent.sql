-- Somebody is asked into a conversation, and is no member until they accept: into a direct one by a stranger, into a
-- group by one of its managers. Of one conversation a person has one row at the most. It stays when they decline, and
-- when they leave a group, so that nobody can put them in again without asking.
CREATE TABLE conversation_requests (
  id uuid PRIMARY KEY,
  conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Who asks; nobody when the person has declined or left a group.
  from_id uuid REFERENCES users (id) ON DELETE CASCADE,
  -- 1 open, 2 declined, 3 left (access.ts).
  state smallint NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX conversation_requests_place_key ON conversation_requests (conversation_id, user_id);
CREATE INDEX conversation_requests_user_idx ON conversation_requests (user_id, changed_at, id);
CREATE INDEX conversation_requests_from_idx ON conversation_requests (from_id, changed_at, id) WHERE from_id IS NOT NULL;
