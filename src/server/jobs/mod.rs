//! Work that runs on a period or a nudge; idempotent, safe with any number of replicas.
