"""The page that people keep open: one HTML document and its own few files, with nothing from elsewhere."""
