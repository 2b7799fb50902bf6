//! OAuth 2.0 endpoints read from the catalog.
