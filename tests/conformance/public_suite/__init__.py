"""The public HTTP caching tests (cache-tests.fyi), run against our cache: `make conformance`."""
