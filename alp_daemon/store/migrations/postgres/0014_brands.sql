-- Whose brand an id was, as a sound file last said it: see the other one.
ALTER TABLE addressees ADD COLUMN brand plain;
