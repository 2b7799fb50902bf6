//! OAuth 2.0 as providers really speak it. Knows no store and no HTTP server.
