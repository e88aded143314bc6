-- The thread that a message to be sent later is to stand in; empty where it is none's.
ALTER TABLE scheduled_messages
  ADD COLUMN root_seq bigint,
  ADD COLUMN also_in_conversation boolean NOT NULL DEFAULT false;
