-- Changes of conversations, so that every node can find what nobody told it: whoever made a change may die, or lose its
-- connection, between the commit and the telling. Nodes read this once a second, from the oldest transaction on that was
-- still open when they read last, so a change that commits late is not passed over. Rows are kept for an hour.
CREATE TABLE changes (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  conversation_id uuid NOT NULL,
  seq bigint NOT NULL,
  version integer NOT NULL,
  -- Those who came or went.
  users uuid[] NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (conversation_id, seq)
);
CREATE INDEX changes_xid_idx ON changes (xid);
CREATE INDEX changes_at_idx ON changes (at);
