"""The contract over real servers: one awkward application, bare and wrapped, asked over raw sockets."""
