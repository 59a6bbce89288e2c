-- Texts to a code reach everybody who shares it (see the comments of SQLite's).

CREATE TABLE addressees (
    customer  plain PRIMARY KEY,
    name      plain NOT NULL,
    keyword   plain NOT NULL,
    region    plain NOT NULL
);
CREATE TABLE codes (
    customer  plain NOT NULL,
    code      plain NOT NULL,
    PRIMARY KEY (customer, code)
);
CREATE INDEX codes_shared ON codes (code, customer);

CREATE INDEX messages_of_sender ON messages (key, at);
