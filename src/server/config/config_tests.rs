use super::*;
use proptest::prelude::*;

fn variables(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

fn file(content: &str, name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("patchbay-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a file");
    path
}

fn read(content: &str, name: &str, pairs: &'static [(&'static str, &'static str)]) -> Result<Config, ConfigError> {
    Config::read(Some(&file(content, name)), &variables(pairs))
}

const HOME: &[(&str, &str)] = &[("HOME", "/home/ada")];

#[test]
fn nothing_set_gives_a_loopback_server_with_data_under_the_home_folder() {
    let config = read("", "empty.toml", HOME).expect("defaults");
    assert_eq!(config.address.to_string(), "127.0.0.1:3000");
    assert_eq!(config.data_dir, Path::new("/home/ada/.local/share/patchbay"));
    assert_eq!(config.public_url.join("/"), "http://127.0.0.1:3000/");
    assert!(config.local());
    assert!(config.lines().iter().all(|(_, _, source)| *source == Source::Default));
}

#[test]
fn the_environment_overrides_the_file_and_each_value_knows_its_source() {
    let pairs = &[("XDG_DATA_HOME", "/data"), ("PATCHBAY_ADDRESS", "127.0.0.1:4000")];
    let config = read("address = \"127.0.0.1:5000\"\nlog = \"debug\"", "both.toml", pairs).expect("good settings");
    assert_eq!(config.address.port(), 4000);
    let source = |key| config.lines().into_iter().find(|line| line.0 == key).map(|line| line.2.to_string());
    assert_eq!(source("address").as_deref(), Some("PATCHBAY_ADDRESS"));
    assert!(source("log").expect("log").ends_with("both.toml"));
    assert_eq!(config.data_dir, Path::new("/data/patchbay"));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    let error = read("adress = \"127.0.0.1:5000\"", "typo.toml", HOME).expect_err("a typo");
    assert!(error.to_string().ends_with("there is no setting `adress`. Did you mean `address`?"), "{error}");
    let error = read("[limits]\nrequest_second = 3", "limit-typo.toml", HOME).expect_err("a typo");
    assert!(error.to_string().ends_with("Did you mean `limits.request_seconds`?"), "{error}");
}

#[test]
fn a_malformed_file_is_named_with_its_line() {
    let error = read("address = \"127.0.0.1:5000\"\nlog = \n", "broken.toml", HOME).expect_err("broken");
    assert!(matches!(&error, ConfigError::NotToml { line: 2, .. }), "{error:?}");
}

#[test]
fn plain_http_away_from_this_machine_needs_a_word() {
    for pairs in [
        &[("HOME", "/h"), ("PATCHBAY_ADDRESS", "0.0.0.0:3000")],
        &[("HOME", "/h"), ("PATCHBAY_PUBLIC_URL", "http://patchbay.example")],
    ] {
        assert!(matches!(read("", "plain.toml", pairs), Err(ConfigError::Invalid { .. })), "{pairs:?}");
    }
    let accepted = &[("HOME", "/h"), ("PATCHBAY_ADDRESS", "0.0.0.0:3000"), ("PATCHBAY_INSECURE_HTTP", "1")];
    assert!(read("", "accepted.toml", accepted).is_ok());
    let proxied = &[("HOME", "/h"), ("PATCHBAY_ADDRESS", "0.0.0.0:3000"), ("PATCHBAY_PUBLIC_URL", "https://p.example")];
    assert!(read("", "proxied.toml", proxied).is_ok());
}

#[test]
fn a_relative_data_folder_is_refused() {
    assert!(matches!(
        read("data_dir = \"data\"", "relative.toml", HOME),
        Err(ConfigError::Invalid { key: "data_dir", .. })
    ));
}

#[test]
fn no_password_is_shown() {
    let pairs =
        &[("HOME", "/h"), ("PATCHBAY_DATABASE_URL", "postgres://ada:canary-1@db/patchbay?sslpassword=canary-2")];
    let config = read("", "secret.toml", pairs).expect("good settings");
    assert!(!format!("{:?}", config.lines()).contains("canary"));
}

#[test]
fn a_data_folder_may_be_called_anything() {
    let config = read("data_dir = \"/data/50% off? #1\"", "odd.toml", HOME).expect("good settings");
    assert_eq!(config.sqlite_file().as_deref(), Some(Path::new("/data/50% off? #1/patchbay.db")));
    assert!(!config.database_url.reveal().contains(['?', '#']));
}

#[test]
fn the_demo_shares_nothing_with_the_real_workspace() {
    let config = read("", "demo.toml", HOME).expect("defaults");
    let demo = config.clone().for_demo();
    assert_eq!(demo.data_dir, Path::new("/home/ada/.local/share/patchbay-demo"));
    assert_ne!(demo.key_file, config.key_file);
    assert_ne!(demo.database_url, config.database_url);
}

#[test]
fn the_file_in_the_repository_is_read_by_us_and_by_leptos() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE_NAME);
    Config::read(Some(&path), &variables(HOME)).expect("our half");
    let text = std::fs::read_to_string(&path).expect("the file");
    let options = leptos::config::get_config_from_str(&text).expect("leptos' half");
    assert_eq!(&*options.output_name, "patchbay");
}

proptest! {
    #[test]
    fn no_text_in_a_variable_panics(text in ".*") {
        for setting in &SETTINGS {
            let one = |name: &str| if name == setting.variable { Some(text.clone()) } else { (name == "HOME").then(|| "/h".to_owned()) };
            let _ = Config::of_texts(Texts::read(None, &one).expect("no file"), &one);
        }
    }
}
