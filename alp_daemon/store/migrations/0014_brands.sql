-- Whose brand an id was, as a sound file last said it: who wants no more mail is heard while the file is broken.
ALTER TABLE addressees ADD COLUMN brand TEXT;
