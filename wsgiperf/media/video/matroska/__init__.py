"""WebM and Matroska, of known lengths and as they are recorded live: RFC 8794, RFC 9559."""
