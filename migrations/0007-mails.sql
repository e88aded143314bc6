-- Several things that happen to one account in a short time are told by one mail. `security_mail_due` is when the last one
-- went out, or the next one will; it stands in no index. `mail_due` is the mail that tells of an event.
ALTER TABLE users ADD COLUMN security_mail_due timestamptz;
ALTER TABLE security_events ADD COLUMN mail_due timestamptz;
