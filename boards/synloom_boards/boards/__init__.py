"""One file a board; each lists its `BOARDS`."""
