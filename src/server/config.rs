//! Configuration: parsed once, printed by `doctor`, secrets masked.
