-- How bodies are sealed goes with their data key (libs/chat/src/store/ciphers.ts): 0 is AES-256-GCM, 1 XChaCha20-Poly1305.
-- The version before knows only the first, and may still run: where it has made keys already, others are made a day after
-- this was applied.
ALTER TABLE data_keys ADD COLUMN cipher smallint NOT NULL DEFAULT 0;
