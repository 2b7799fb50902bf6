//! A Google service account.

use super::{Errand, Finding, Setback};
use crate::server::dial::Steps;

pub async fn ask(_errand: &Errand<'_>, _steps: &mut Steps) -> Result<Finding, Setback> {
    Err(Setback::silence("Not yet spoken."))
}
