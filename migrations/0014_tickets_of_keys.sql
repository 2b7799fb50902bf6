-- The instance key that a ticket was made with: what it let in ends with it. Those made before this end now, and their
-- frames ask for others.
ALTER TABLE embed_tickets ADD COLUMN instance_key TEXT;
ALTER TABLE embed_bearers ADD COLUMN instance_key TEXT;
