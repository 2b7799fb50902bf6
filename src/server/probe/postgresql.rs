//! PostgreSQL (frontend/backend protocol 3.0), by tokio-postgres over a connection of ours.
//! Reads no `PG*` variable and no `~/.pgpass`.

use bytes::BytesMut;
use std::future::Future;
use std::io;
use std::pin::pin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::login::{Encryption, Login, no_tls_offered, skip_tls};
use super::overheard::Overheard;
use super::{Errand, Finding, Setback, signed_in_as};
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::tls::{TlsError, is_about_client_certificate};
use crate::server::dial::{Steps, Wire};

/// The role's attributes, and its privileges on the database; the most telling first.
const PRIVILEGES: &str = "select name from pg_roles, lateral (values \
     ('SUPERUSER', rolsuper), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb), \
     ('CREATE', has_database_privilege(current_database(), 'CREATE')), \
     ('CONNECT', has_database_privilege(current_database(), 'CONNECT'))) as known (name, granted) \
     where rolname = current_user and granted";
/// There are no more in the question.
const MOST_PRIVILEGES: usize = 5;
/// What a server begins with: authentication, an error, a notice, another version (PostgreSQL documentation, 54.7).
const FIRST_BYTES: [u8; 4] = *b"RENv";

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    let encryption = login.encryption()?;
    let wire = login.connect(errand, steps).await?;
    let wire = match encryption {
        Encryption::Off => {
            skip_tls(steps);
            wire
        }
        Encryption::On(trust) | Encryption::Upgrade(trust) => {
            steps.begin(StepKind::Tls);
            let wire = request_encryption(wire).await?;
            login.upgrade(wire, &trust, errand, steps).await?
        }
    };
    steps.begin(StepKind::Authenticate);
    let signed_in = config(&login, user).connect_raw(from_postgresql(wire), NoTls).await;
    let accepted = if login.password.is_some() {
        "The server accepted user and password."
    } else {
        "The server accepted the user, and asked for no password."
    };
    let (client, connection) = match signed_in {
        // Looked at after the password, which was right.
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            steps.pass(accepted);
            return Ok(without_connect(&login, user, errand, steps));
        }
        signed_in => signed_in.map_err(|error| explain(&error, &login, errand))?,
    };
    steps.pass(accepted);
    steps.begin(StepKind::Authorise);
    let told = async { Ok((identity(&client).await?, privileges(&client).await.unwrap_or_default())) };
    let (identity, scopes) =
        beside(connection, told).await.map_err(|error: tokio_postgres::Error| explain(&error, &login, errand))?;
    let identity = errand.scrub.said(&identity.unwrap_or_else(|| user.to_owned()));
    steps.pass(&signed_in_as(&identity));
    let mut finding = Finding::identity(identity);
    finding.account.scopes = scopes;
    Ok(finding)
}

/// Signed in, but not let into the database.
fn without_connect(login: &Login<'_>, user: &str, errand: &Errand<'_>, steps: &mut Steps) -> Finding {
    let database = errand.scrub.said(login.database.unwrap_or(user));
    steps.begin(StepKind::Authorise);
    steps.fail(&format!("User “{user}” may not use the database “{database}”. GRANT CONNECT allows it."), "");
    Finding::identity(errand.scrub.said(user)).lacking(format!("CONNECT on the database {database}"))
}

/// All that tokio-postgres is told; it would otherwise take the operating system's user.
fn config(login: &Login<'_>, user: &str) -> Config {
    let mut config = Config::new();
    config.user(user).password(login.password.unwrap_or_default());
    // What libpq does too: a database of the user's name.
    config.dbname(login.database.unwrap_or(user));
    config.application_name("Patchbay").ssl_mode(SslMode::Disable);
    config
}

/// `SSLRequest`, answered by a single byte (PostgreSQL documentation, 54.2.10). No byte after it is read in clear text.
async fn request_encryption(mut wire: Wire) -> Result<Wire, Setback> {
    let mut request = BytesMut::new();
    postgres_protocol::message::frontend::ssl_request(&mut request);
    wire.write_all(&request).await?;
    match wire.read_u8().await? {
        b'S' => Ok(wire),
        b'N' => Err(no_tls_offered()),
        _ => Err(not_postgresql()),
    }
}

/// A connection that fails at the first byte of what is not the protocol: tokio-postgres would read `HTTP/1.1` as the
/// beginning of a message of a thousand megabytes, and wait for it.
fn from_postgresql(wire: Wire) -> Overheard<impl FnMut(io::Result<&[u8]>) -> io::Result<()>> {
    let mut begun = false;
    Overheard::over(wire, move |read| {
        let known = read?.first().is_none_or(|first| begun || FIRST_BYTES.contains(first));
        begun = true;
        if known { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    })
}

async fn identity(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let answer = client.simple_query("select current_user, current_database()").await?;
    Ok(answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(format!("{}@{}", row.get(0)?, row.get(1)?)),
        _ => None,
    }))
}

/// What the role may do to the server and the database, in PostgreSQL's words. Not all that speak its protocol tell.
async fn privileges(client: &Client) -> Result<Vec<String>, tokio_postgres::Error> {
    let answer = client.simple_query(PRIVILEGES).await?;
    let names = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(names.take(MOST_PRIVILEGES).collect())
}

/// Runs a conversation while its connection is driven; dropping it drops both.
async fn beside<T>(connection: impl Future, conversation: impl Future<Output = T>) -> T {
    let mut conversation = pin!(conversation);
    tokio::select! {
        biased;
        said = &mut conversation => said,
        _ = connection => conversation.await,
    }
}

fn not_postgresql() -> Setback {
    Setback::silence("What answers here does not speak PostgreSQL's protocol. Check host and port.").at("port")
}

fn explain(error: &tokio_postgres::Error, login: &Login<'_>, errand: &Errand<'_>) -> Setback {
    if let Some(refusal) = error.as_db_error() {
        return explain_refusal(refusal, login, errand);
    }
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    match cause {
        Some(cause) if matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            not_postgresql()
        }
        Some(cause) if is_about_client_certificate(cause) => {
            TlsError::ClientCertificate { detail: cause.to_string() }.into()
        }
        Some(cause) => Setback::from(io::Error::new(cause.kind(), cause.to_string())),
        None if error.is_closed() => Setback::silence("The server closed the connection without an answer."),
        None if login.password.is_none() => {
            Setback::refusal("PostgreSQL asks for a password, and none is given here.").at("password")
        }
        None => not_postgresql(),
    }
    .with_detail(error.to_string())
}

/// The codes are PostgreSQL's own (documentation, appendix A).
fn explain_refusal(refusal: &DbError, login: &Login<'_>, errand: &Errand<'_>) -> Setback {
    let code = refusal.code().code();
    let user = login.user.unwrap_or_default();
    let said = errand.scrub.said(refusal.message());
    let setback = match *refusal.code() {
        SqlState::INVALID_PASSWORD => Setback::refusal(format!(
            "PostgreSQL refused this password for user “{user}” ({code}). Check it, or reset it with ALTER ROLE."
        ))
        .at("password"),
        // Sent for a network or an encryption the server's pg_hba.conf does not provide for.
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION if said.contains("client certificate") => Setback::refusal(format!(
            "PostgreSQL wants a client certificate of user “{user}” ({code}): {said}. Give one that names this user."
        ))
        .at("client_certificate"),
        // No password was looked at: from another network, or encrypted, the same one may be good.
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION if said.contains("no pg_hba.conf entry") => {
            Setback::silence(format!(
                "PostgreSQL takes nobody like “{user}” from here ({code}): {said}. Check encryption, or the server's \
                 pg_hba.conf."
            ))
            .at("user")
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION if said.contains("pg_hba.conf") => Setback::refusal(format!(
            "PostgreSQL lets user “{user}” not sign in this way ({code}): {said}. Check encryption, or the server's pg_hba.conf."
        ))
        .at("user"),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            Setback::refusal(format!("PostgreSQL refused user “{user}” ({code}): {said}.")).at("user")
        }
        SqlState::INVALID_CATALOG_NAME => {
            let database = login.database.unwrap_or(user);
            Setback::refusal(format!("There is no database “{database}” on this server ({code}). Check its name."))
                .at("database")
        }
        SqlState::TOO_MANY_CONNECTIONS => {
            Setback::silence(format!("The server has no connection left ({code}). Try again in a while."))
        }
        SqlState::CANNOT_CONNECT_NOW => {
            Setback::silence(format!("The server is starting up or shutting down ({code}). Try again in a while."))
        }
        _ => Setback::silence(format!("PostgreSQL answered with an error ({code}): {said}.")),
    };
    setback.with_detail(said)
}
