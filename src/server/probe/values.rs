//! What the fields of a method hold for a probe: what was given, or else the field's default.

use super::Question;
use crate::domain::field::{Field, FieldValues};
use crate::server::vault::{SecretText, Secrets};

/// Looks fields up by id. Fields that are not shown hold nothing.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    pub fields: &'a [Field],
    pub config: &'a FieldValues,
    pub secrets: &'a Secrets,
}

impl<'a> Values<'a> {
    #[must_use]
    pub fn of(question: &Question<'a>) -> Self {
        Self { fields: question.method.known_fields(), config: question.config, secrets: question.secrets }
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<&'a str> {
        let field = self.field(id)?;
        if !field.is_shown(self.config, self.fields) {
            return None;
        }
        let given = if field.secret {
            // The service itself is shown its secret; that is what a probe is.
            self.secrets.get(id).map(SecretText::reveal).filter(|secret| !secret.is_empty())
        } else {
            self.config.get(id)
        };
        given.or(Some(field.default.as_str())).filter(|value| !value.is_empty())
    }

    /// Whether a field may hold nothing, so that what needs it is left out.
    #[must_use]
    pub fn may_be_empty(&self, id: &str) -> bool {
        self.field(id).is_some_and(|field| field.optional || !field.is_shown(self.config, self.fields))
    }

    fn field(&self, id: &str) -> Option<&'a Field> {
        self.fields.iter().find(|field| field.id == id)
    }
}
