-- Names and addresses are compared by a collation that is the same in every database, and no longer by its own: under
-- a Turkish one `INFO` and `info` were two names. The indexes by the database's collation stay for the version before,
-- which still looks through them while a roll-out is half done.
DO $$
DECLARE
  twice text;
BEGIN
  SELECT string_agg(format('%s (%s)', name, ids), ', ') INTO twice FROM (
    SELECT lower(username COLLATE "C") AS name, string_agg(id::text, ' and ' ORDER BY created_at) AS ids
      FROM users GROUP BY 1 HAVING count(*) > 1
    UNION ALL
    SELECT lower(email COLLATE "C"), string_agg(id::text, ' and ' ORDER BY created_at)
      FROM users WHERE email IS NOT NULL GROUP BY 1 HAVING count(*) > 1) found;
  IF twice IS NOT NULL THEN
    RAISE EXCEPTION 'several accounts have one name or address: %. Change the username, or set the email to NULL, of all but one', twice;
  END IF;
END $$;

CREATE UNIQUE INDEX users_username_folded_key ON users (lower(username COLLATE "C"));
CREATE UNIQUE INDEX users_email_folded_key ON users (lower(email COLLATE "C")) WHERE email IS NOT NULL;
CREATE INDEX codes_email_folded_idx ON codes (lower(email COLLATE "C"), purpose);

-- What the version before folded, and writes until the roll-out is done: the worker folds it anew (users/refold.ts).
CREATE INDEX users_refold_idx ON users (id) WHERE search_text <> '' AND search_text NOT LIKE '~%';
