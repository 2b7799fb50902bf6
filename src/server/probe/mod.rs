//! Asking a service whether a credential works; one file a protocol.
