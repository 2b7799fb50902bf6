-- What tells an account from every other one and outlasts another name, where its service says it.
ALTER TABLE connections ADD COLUMN subject TEXT;
