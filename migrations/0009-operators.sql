-- What operators do to accounts and messages.

-- In the row that a sign-in holds, so that neither can slip past the other (operators/suspend.ts). `infinity`: for good.
ALTER TABLE users ADD COLUMN suspended_until timestamptz;

-- What the banned may not come back with: the SHA-256 of the username, of each address and of each identity. It outlives
-- the erasure of the account, after which the store has none of them in clear.
CREATE TABLE held_back (
  kind text NOT NULL,
  key bytea NOT NULL,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (kind, key, user_id)
);
CREATE INDEX held_back_user_idx ON held_back (user_id);

-- The audit trail of the operators. Written once, in the transaction of the act, never changed. `program` names who used
-- the command line, where no operator is signed in.
CREATE TABLE operator_actions (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  operator_id uuid,
  program text NOT NULL DEFAULT '',
  action text NOT NULL,
  user_id uuid,
  conversation_id uuid,
  seq bigint,
  reason text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX operator_actions_at_idx ON operator_actions (at, id);
CREATE INDEX operator_actions_user_idx ON operator_actions (user_id, at, id);
