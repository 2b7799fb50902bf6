use aes_gcm::Nonce;
use aes_gcm::aead::AeadInOut;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;

use super::record::Key;
use super::*;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::id::{MemberId, WorkspaceId};
use crate::domain::time::Timestamp;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("patchbay-vault-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    async fn store(&self) -> Store {
        let store = Store::open(&format!("sqlite://{}", self.0.join("patchbay.db").display())).await.expect("a store");
        store.ensure_default_workspace(Timestamp(1), MemberId::from_bytes([1; 16])).await.expect("a workspace");
        store
    }

    fn source(&self) -> KeySource {
        KeySource { inline: None, file: self.0.join("key") }
    }

    async fn vault(&self) -> Vault {
        Vault::open(self.store().await, self.source(), Random::system()).await.expect("a vault")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn scope() -> Scope {
    Scope::whole(WorkspaceId::default_workspace(), Environment::Production)
}

fn secrets(pairs: &[(&str, &str)]) -> Secrets {
    let mut secrets = Secrets::default();
    for (field, secret) in pairs {
        secrets.insert(field, SecretText::new((*secret).to_owned()));
    }
    secrets
}

fn error<T>(result: Result<T, VaultError>) -> Option<VaultError> {
    result.err()
}

#[test]
fn every_published_vector_of_aes_256_gcm_holds() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/aes_256_gcm.json")).expect("JSON");
    let tests = file["tests"].as_array().expect("a list");
    assert!(tests.len() > 50);
    for test in tests {
        let bytes = |name: &str| {
            let digits = test[name].as_str().expect("digits").as_bytes();
            let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
            pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a byte")).collect::<Vec<_>>()
        };
        let key = Key::new([0; 16], Zeroizing::new(bytes("key").try_into().expect("32 bytes")));
        let nonce = Nonce::try_from(bytes("iv").as_slice()).expect("12 bytes");
        let sealed = [bytes("ct"), bytes("tag")].concat();
        let mut opened = sealed.clone();
        let accepted = key.cipher().decrypt_in_place(&nonce, &bytes("aad"), &mut opened).is_ok();
        assert_eq!(accepted, test["result"] == "valid", "vector {}", test["tcId"]);
        if accepted {
            assert_eq!(opened, bytes("msg"), "vector {}", test["tcId"]);
            key.cipher().encrypt_in_place(&nonce, &bytes("aad"), &mut opened).expect("sealed");
            assert_eq!(opened, sealed, "vector {}", test["tcId"]);
        }
    }
}

#[tokio::test]
async fn a_record_opens_where_it_was_sealed_and_nowhere_else() {
    let folder = Folder::new();
    let vault = folder.vault().await;
    let (id, other_id) = (ConnectionId::from_bytes([1; 16]), ConnectionId::from_bytes([2; 16]));
    let (here, staging) = (scope(), Scope { environment: Environment::Staging, ..scope() });
    let elsewhere = Scope { workspace: WorkspaceId::try_from("other".to_owned()).expect("an id"), ..scope() };
    let context = SealContext { scope: &here, holder: id.as_str(), method: "token", secret_version: 1 };
    let sealed = vault.seal(&context, &secrets(&[("token", "xoxb-1")])).await.expect("sealed");
    assert_eq!(vault.open_sealed(&context, &sealed).await, Ok(secrets(&[("token", "xoxb-1")])));
    // The other environment's own key exists, so that only the binding can refuse.
    vault.seal(&SealContext { scope: &staging, ..context }, &secrets(&[])).await.expect("sealed");
    let swapped = [
        SealContext { holder: other_id.as_str(), ..context },
        SealContext { scope: &staging, ..context },
        SealContext { method: "tokem", ..context },
        SealContext { secret_version: 2, ..context },
    ];
    for context in swapped {
        assert_eq!(error(vault.open_sealed(&context, &sealed).await), Some(VaultError::Sealed), "{context:?}");
    }
    let other_workspace = SealContext { scope: &elsewhere, ..context };
    assert!(vault.open_sealed(&other_workspace, &sealed).await.is_err());
}

#[test]
fn the_place_is_bound_even_under_one_key() {
    let key = Key::fingerprinted(Zeroizing::new([7; 32]));
    let place = |parts: [&str; 2]| parts.map(|part| part.as_bytes().to_vec());
    let plain = Zeroizing::new(b"secret".to_vec());
    let sealed = record::seal(&key, record::SECRETS, &place(["ab", "c"]), plain, &Random::system()).expect("sealed");
    assert!(record::open(&key, record::SECRETS, &place(["ab", "c"]), &sealed).is_ok());
    assert!(record::open(&key, record::SECRETS, &place(["a", "bc"]), &sealed).is_err());
    assert!(record::open(&key, record::DATA_KEY, &place(["ab", "c"]), &sealed).is_err());
    let renamed = Key::new([9; 16], Zeroizing::new([7; 32]));
    assert!(record::open(&renamed, record::SECRETS, &place(["ab", "c"]), &sealed).is_err());
}

#[tokio::test]
async fn any_flipped_bit_and_any_truncation_is_noticed() {
    let folder = Folder::new();
    let vault = folder.vault().await;
    let (scope, id) = (scope(), ConnectionId::from_bytes([1; 16]));
    let context = SealContext { scope: &scope, holder: id.as_str(), method: "token", secret_version: 1 };
    let sealed = vault.seal(&context, &secrets(&[("token", "xoxb-1")])).await.expect("sealed");
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(error(vault.open_sealed(&context, &flipped).await), Some(VaultError::Sealed), "bit {bit}");
    }
    for length in 1..sealed.len() {
        assert!(vault.open_sealed(&context, &sealed[..length]).await.is_err(), "{length} bytes");
    }
}

#[tokio::test]
async fn a_restart_finds_the_same_key_in_a_private_file() {
    let folder = Folder::new();
    let (scope, id) = (scope(), ConnectionId::from_bytes([1; 16]));
    let context = SealContext { scope: &scope, holder: id.as_str(), method: "token", secret_version: 1 };
    let sealed = folder.vault().await.seal(&context, &secrets(&[("a", "1")])).await.expect("sealed");
    assert_eq!(folder.vault().await.open_sealed(&context, &sealed).await, Ok(secrets(&[("a", "1")])));
    for file in ["key", "patchbay.db"] {
        let mode = std::fs::metadata(folder.0.join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn without_its_key_the_vault_stays_shut_and_makes_none() {
    let folder = Folder::new();
    folder.vault().await;
    std::fs::remove_file(folder.0.join("key")).expect("removed");
    let missing = Vault::open(folder.store().await, folder.source(), Random::system()).await;
    assert!(matches!(error(missing), Some(VaultError::KeyMissing { .. })));
    assert!(!folder.0.join("key").exists());
}

#[tokio::test]
async fn another_key_is_refused() {
    let folder = Folder::new();
    folder.vault().await;
    let inline = Some(SecretText::new("ab".repeat(32)));
    let source = KeySource { inline, ..folder.source() };
    let refused = Vault::open(folder.store().await, source, Random::system()).await;
    assert_eq!(error(refused), Some(VaultError::WrongKey));
    std::fs::write(folder.0.join("key"), "not a key").expect("written");
    let refused = Vault::open(folder.store().await, folder.source(), Random::system()).await;
    assert!(matches!(error(refused), Some(VaultError::KeyMalformed { .. })));
}

#[tokio::test]
async fn two_vaults_that_start_at_once_share_one_data_key() {
    let folder = Folder::new();
    let (first, second) = (folder.vault().await, folder.vault().await);
    let (scope, id) = (scope(), ConnectionId::from_bytes([1; 16]));
    let context = SealContext { scope: &scope, holder: id.as_str(), method: "token", secret_version: 1 };
    let given = secrets(&[("a", "1")]);
    let (one, two) = tokio::join!(first.seal(&context, &given), second.seal(&context, &given));
    assert_eq!(second.open_sealed(&context, &one.expect("sealed")).await, Ok(given.clone()));
    assert_eq!(first.open_sealed(&context, &two.expect("sealed")).await, Ok(given));
}

proptest! {
    #[test]
    fn encoding_keeps_every_text(pairs in proptest::collection::btree_map(".{0,20}", ".{0,200}", 0..6)) {
        let mut given = Secrets::default();
        for (field, secret) in &pairs {
            given.insert(field, SecretText::new(secret.clone()));
        }
        prop_assert_eq!(Secrets::decode(&given.encode(0)), Some(given));
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        Secrets::decode(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_sealed_opens_to_the_same(secret in ".{0,300}", version in 1_i64..i64::MAX) {
        let folder = Folder::new();
        Runtime::new().expect("a runtime").block_on(async {
            let vault = folder.vault().await;
            let (scope, id) = (scope(), ConnectionId::from_bytes([3; 16]));
            let context = SealContext { scope: &scope, holder: id.as_str(), method: "m", secret_version: version };
            let given = secrets(&[("field", &secret)]);
            let sealed = vault.seal(&context, &given).await.expect("sealed");
            assert_eq!(vault.open_sealed(&context, &sealed).await, Ok(given));
        });
    }
}
