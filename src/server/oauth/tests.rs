//! What neither the documented cases nor the servers show: unit tests of requests, redirects, assertions and words.
