//! Redis and what speaks its protocol, by the redis crate over a connection of ours.
//! It is told no credentials: we send `AUTH` ourselves, so as to read the server's own answer.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, RedisConnectionInfo, RedisError, Value, cmd};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::login::Login;
use super::overheard::Overheard;
use super::{Errand, Finding, Setback, signed_in_as};
use crate::domain::evidence::{Account, StepKind};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::Steps;
use crate::server::dial::tls::{TlsError, is_about_client_certificate};

/// Rules of a user that are shown.
const MOST_RULES: usize = 12;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let wire = login.connect_encrypted(errand, steps).await?;
    steps.begin(StepKind::Authenticate);
    let silent = RedisConnectionInfo::default().set_skip_set_lib_name();
    let patient = AsyncConnectionConfig::new().set_response_timeout(None);
    let refused = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&refused);
    // The redis crate forgets what ends a connection before anything was asked over it.
    let wire = Overheard::over(wire, move |read| {
        let about_certificate = read.as_ref().is_err_and(is_about_client_certificate);
        heard.fetch_or(about_certificate, Ordering::Relaxed);
        read.map(|_| ())
    });
    let (connection, driver) = MultiplexedConnection::new_with_config(&silent, wire, patient)
        .await
        .map_err(|error| explain(&error, &login, errand))?;
    let mut conversation = pin!(converse(connection, &login, errand, steps));
    let finding = tokio::select! {
        biased;
        finding = &mut conversation => finding,
        () = driver => conversation.await,
    };
    finding.map_err(|setback| {
        let refused = refused.load(Ordering::Relaxed);
        if refused { TlsError::ClientCertificate { detail: setback.detail }.into() } else { setback }
    })
}

async fn converse(
    mut connection: MultiplexedConnection,
    login: &Login<'_>,
    errand: &Errand<'_>,
    steps: &mut Steps,
) -> Result<Finding, Setback> {
    let first = login.password.map_or_else(|| cmd("PING"), |password| sign_in(login.user, password));
    let answer = first.query_async::<String>(&mut connection).await;
    match answer {
        Ok(_) => {}
        // Signed in, but not allowed to send the harmless command.
        Err(error) if error.code() == Some("NOPERM") => {}
        Err(error) => return Err(explain(&error, login, errand)),
    }
    steps.pass(if login.password.is_some() {
        "The server accepted the password."
    } else {
        "The server asks for no password."
    });
    steps.begin(StepKind::Authorise);
    let mut barred = None;
    if let Some(database) = login.database {
        match cmd("SELECT").arg(database).query_async::<String>(&mut connection).await {
            Err(error) if error.code() == Some("NOPERM") => barred = Some(database),
            select => drop(select.map_err(|error| explain_database(&error, database, login, errand))?),
        }
    }
    let who = cmd("ACL").arg("WHOAMI").query_async::<String>(&mut connection).await;
    // Before version 6, or without permission for this question, the name given is all there is.
    let identity = who.unwrap_or_else(|_| login.user.unwrap_or("default").to_owned());
    let scopes = rules(&mut connection, &identity).await.unwrap_or_default();
    let account = Account { identity: Some(errand.scrub.said(&identity)), scopes, ..Account::default() };
    let finding = Finding { account, ..Finding::default() };
    let Some(database) = barred else {
        steps.pass(&signed_in_as(finding.account.identity.as_deref().unwrap_or_default()));
        return Ok(finding);
    };
    let database = errand.scrub.said(database);
    steps.fail(&format!("This user may not choose database {database}. Leave it empty, or allow SELECT."), "");
    Ok(finding.lacking(format!("SELECT of database {database}")))
}

/// Which commands a user may send, as its rules put it (`+@read -@dangerous`); told to few.
async fn rules(connection: &mut MultiplexedConnection, user: &str) -> Option<Vec<String>> {
    let told = cmd("ACL").arg("GETUSER").arg(user).query_async::<HashMap<String, Value>>(connection).await;
    let commands = String::from_redis_value(told.ok()?.remove("commands")?).ok()?;
    Some(commands.split_whitespace().take(MOST_RULES).map(str::to_owned).collect())
}

fn sign_in(user: Option<&str>, password: &str) -> Cmd {
    let mut command = cmd("AUTH");
    if let Some(user) = user {
        command.arg(user);
    }
    command.arg(password);
    command
}

fn explain_database(error: &RedisError, database: &str, login: &Login<'_>, errand: &Errand<'_>) -> Setback {
    match error.code() {
        Some("ERR") => Setback::refusal(format!("There is no database {database} on this server. Check its number."))
            .at("database"),
        _ => explain(error, login, errand),
    }
}

/// The codes are the first word of an error (Redis serialization protocol, simple errors).
fn explain(error: &RedisError, login: &Login<'_>, errand: &Errand<'_>) -> Setback {
    let said = errand.scrub.said(error.detail().unwrap_or_default());
    let refused = |reason: &str| Setback::refusal(reason).at("password");
    match error.code() {
        Some("WRONGPASS") => match login.user {
            Some(user) => refused(&format!("Redis refused this password for user “{user}” (WRONGPASS). Check both.")),
            None => refused("Redis refused this password (WRONGPASS). Check it."),
        },
        Some("NOAUTH") => refused("Redis asks for a password (NOAUTH), and none is given here."),
        Some("NOPERM") => Setback::refusal(format!("This user may not sign in this way (NOPERM): {said}")).at("user"),
        Some("ERR") if said.contains("without any password configured") => {
            refused("This Redis has no password set, so it refuses one. Leave it empty, or set one there.")
        }
        Some("ERR") if said.contains("invalid password") => refused("Redis refused this password. Check it."),
        Some("ERR") if said.contains("wrong number of arguments for 'auth'") => {
            refused("This Redis is older than version 6 and has no users. Leave the user empty.").at("user")
        }
        Some("LOADING") => Setback::silence("Redis is still loading its data. Try again in a while."),
        Some("DENIED") => {
            Setback::silence("Redis is in protected mode and takes connections from its own machine only.")
        }
        Some(code) => Setback::silence(format!("Redis answered with an error ({}): {said}", errand.scrub.said(code))),
        None if error.is_connection_dropped() || error.is_io_error() => {
            Setback::silence("The server closed the connection without an answer.")
        }
        None => Setback::silence("What answers here does not speak Redis' protocol. Check host and port.").at("port"),
    }
    .with_detail(errand.scrub.said(&error.to_string()))
}
