-- Texts to a code reach everybody who shares it, whatever state the customers' files are in.

-- What a text needs to know of a customer, as a sound file last said it. `codes` are digits, without the plus.
CREATE TABLE addressees (
    customer  TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    keyword   TEXT NOT NULL,
    region    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE codes (
    customer  TEXT NOT NULL,
    code      TEXT NOT NULL,
    PRIMARY KEY (customer, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_shared ON codes (code, customer);

-- What somebody said of late, on whichever list: one seek.
CREATE INDEX messages_of_sender ON messages (key, at);
