"""One file a change of the schema; never edited after it was released."""
