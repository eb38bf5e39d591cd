//! `portcullis shadow`, as a platform meets it.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod schema;

use portcullis_shadow::month::month;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const MAPPING: &str = r#"
    delimiter = ";"
    time_zone = "Asia/Tokyo"
    [columns]
    account = "user"
    time = "when"
    factor = "mfa"
"#;

fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .current_dir(dir)
        .arg("shadow")
        .args(args)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A generated month as a platform would export it, the last row first.
fn export(honest: u64) -> String {
    let mut lines: Vec<String> = month(4, honest).map(|made| made.line()).collect();
    lines.push("id,when,user,asset,amount,to,mfa,factor_since".into());
    lines.reverse();
    lines.join("\n").replace(',', ";") + "\n"
}

fn is_after_the_schema(found: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/shadow.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    schema::Checker(&schema).check(found).unwrap();
    let mut spoilt = found.clone();
    spoilt["grounds"]["luck"] = spoilt["grounds"]["alike"].take();
    assert!(schema::Checker(&schema).check(&spoilt).is_err());
}

#[test]
fn a_months_export_becomes_a_report_for_people_and_one_for_programs() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir(at("exports")).unwrap();
    let whole = export(60_000);
    // Two files, and one row that is none.
    let (head, rows) = whole.split_once('\n').unwrap();
    let middle = rows.len() / 2 + rows[rows.len() / 2..].find('\n').unwrap() + 1;
    let parts = [&rows[..middle], &rows[middle..]];
    for (name, part) in ["a.csv", "b.csv"].iter().zip(parts) {
        let text = format!("{head}\n{part}x;soon;a;ETH;1;y;app;\n");
        std::fs::write(at("exports").join(name), text).unwrap();
    }
    std::fs::write(at("mapping.toml"), MAPPING).unwrap();
    let output = run(
        dir.path(),
        &[
            "--from",
            "exports",
            "--mapping",
            "mapping.toml",
            "--json",
            "found.json",
        ],
    );
    let lines = said(&output);
    assert_eq!(output.status.code(), Some(0), "{lines}");
    let attacks = lines.lines().filter(|line| line.starts_with("attack?"));
    assert_eq!(attacks.count(), 4, "{lines}");
    assert!(
        lines.contains("2 of 6") && lines.contains("could not be read"),
        "{lines}"
    );
    assert!(
        lines.contains("a.csv:") && lines.contains("\"soon\""),
        "{lines}"
    );
    assert!(lines.contains("account=user"), "{lines}");

    let found = read_json(&at("found.json"));
    is_after_the_schema(&found);
    let count = |name: &str| found[name]["count"].as_u64().unwrap();
    assert_eq!(count("judged"), rows.lines().count() as u64);
    assert_eq!(
        count("judged"),
        count("out") + count("held") + count("refused")
    );
    assert_eq!(found["faults"]["rows"], 2);
    let page = std::fs::read_to_string(at("shadow.html")).unwrap();
    for part in [
        "4 patterns of attack were found",
        "thief-c",
        "Day by day",
        "--from exports",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script"), "nothing runs in it");
    assert!(!page.contains("<ul>\n</ul>"), "a list of nothing");
}

/// What stands in a platform's file is nobody's text but the attacker's.
#[test]
fn what_stands_in_the_file_is_text_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("w.csv");
    let evil = "<script>alert(1)</script>";
    let text = format!(
        "time,account,asset,amount,to\n1780000000,a,{evil},1,{evil}\n1780000001,b,ETH,1 ETH,x\n"
    );
    std::fs::write(&file, text).unwrap();
    let output = run(dir.path(), &["--from", "w.csv"]);
    // Half of it could not be read.
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let page = std::fs::read_to_string(dir.path().join("shadow.html")).unwrap();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
}

#[test]
fn a_file_of_something_else_is_said_to_be_none_and_no_report_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let row = "{\"time\":1780000000}";
    for (name, text, part) in [
        ("empty.csv", "", "no withdrawal could be read"),
        ("other.csv", "a,b\n1,2\n", "no column \"time\", \"account\""),
        (
            "cut.csv",
            "time;account;asset;amount;to\n",
            "delimiter = \";\"",
        ),
        ("array.json", "[{}]\n", "jq -c '.[]'"),
        ("other.jsonl", row, "no member \"account\", \"asset\""),
        (
            "time.csv",
            "time,account,asset,amount,to\nsoon,a,ETH,1,x\n",
            "time.csv:2",
        ),
        (
            "amount.csv",
            "time,account,asset,amount,to\n1780000000,a,ETH,\"1,5\",x\n",
            "decimal = \",\"",
        ),
    ] {
        std::fs::write(dir.path().join(name), text).unwrap();
        let output = run(dir.path(), &["--from", name]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(part), "{part}: {}", said(&output));
    }
    assert_eq!(
        run(dir.path(), &["--from", "nowhere.csv"]).status.code(),
        Some(2)
    );
    assert!(!dir.path().join("shadow.html").exists());
}

/// One row for each hour, of customers who prove by SMS, by nothing and by a passkey.
const ROWS: &str = "id,time,account,asset,amount,to,factor,state,note\n\
    w1,2026-06-01T00:00:00Z,a,ETH,\"1.234,5\",x,passkey,done,\n\
    w2,2026-06-01T01:00:00Z,=b,ETH,\"0,5\",x,sms,done,\n\
    @w3,2026-06-01T02:00:00Z,c,ETH,1e-05,x,,done,\n\
    w1,2026-06-01T00:00:00Z,a,ETH,\"1.234,5\",x,passkey,done,\n";

#[test]
fn what_would_be_held_is_listed_and_what_of_the_mapping_meets_nothing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("w.csv", ROWS);
    write(
        "mapping.toml",
        "decimal = \",\"\nthousands = \".\"\nwent_out = [\"done\", \"Completed\"]\n[columns]\nstatus = \"state\"\n",
    );
    write("terms.toml", "[limits.BTC]\nday = \"1\"\n");
    let args = [
        "--from",
        "w.csv",
        "--mapping",
        "mapping.toml",
        "--terms",
        "terms.toml",
    ];
    let output = run(
        dir.path(),
        &[&args[..], &["--rows", "held.csv", "--json", "found.json"]].concat(),
    );
    let lines = said(&output);
    assert_eq!(output.status.code(), Some(0), "{lines}");
    let page = std::fs::read_to_string(dir.path().join("shadow.html")).unwrap();
    for part in ["Completed", "BTC", "stand there more than once"] {
        assert!(
            lines.contains(part) && page.contains(part),
            "{part}: {lines}"
        );
    }
    assert!(
        lines.contains("1 account proves by SMS") && page.contains("1 account proves by SMS"),
        "{lines}"
    );
    assert!(lines.contains("not read: note"), "{lines}");
    let held = std::fs::read_to_string(dir.path().join("held.csv")).unwrap();
    let want = "file,line,id,account,verdict,grounds\n\
                w.csv,3,w2,'=b,be-refused,weak-factor\n\
                w.csv,4,'@w3,c,be-refused,no-factor\n";
    assert_eq!(held, want);
    let found: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("found.json")).unwrap()).unwrap();
    is_after_the_schema(&found);
    assert_eq!(
        (&found["judged"]["count"], &found["repeated"]),
        (&3.into(), &1.into())
    );
    assert_eq!(found["judged"]["amounts"]["ETH"], "1235000010000000000000");

    write("wrong.toml", "[columns]\nfactor = \"mfa\"\n");
    let output = run(dir.path(), &["--from", "w.csv", "--mapping", "wrong.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("\"mfa\" (factor)"),
        "{}",
        said(&output)
    );
}

/// `jq -c '.[]' FILE | portcullis shadow --from -`.
#[test]
fn standard_input_is_of_either_form() {
    let dir = tempfile::tempdir().unwrap();
    let object = r#"{"time":1780000000,"account":"a","asset":"ETH","amount":0.5,"to":"x"}"#;
    for text in [
        object,
        "time,account,asset,amount,to\n1780000000,a,ETH,0.5,x\n",
    ] {
        std::fs::write(dir.path().join("input"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .current_dir(dir.path())
            .args(["shadow", "--from", "-"]);
        command.stdin(std::fs::File::open(dir.path().join("input")).unwrap());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(
            said(&output).contains("1 withdrawals: 1 go out"),
            "{}",
            said(&output)
        );
    }
}

/// A shadow that listens, and where.
struct Listening(Child, String);

impl Listening {
    fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    fn start_with(dir: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.current_dir(dir).stdout(Stdio::piped());
        command.args(["shadow", "--listen", "127.0.0.1:0", "--json", "found.json"]);
        command.args(more);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let place = line.split("http://").nth(1).unwrap();
        let place = place.trim().trim_end_matches("/withdrawals").to_owned();
        Self(child, place)
    }

    fn post(&self, body: &str) -> Value {
        let (status, answer) = self.post_as(body, "");
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// With another header, before or in the place of Host.
    fn post_as(&self, body: &str, header: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        let (place, length) = (&self.1, body.len());
        let host = if header.starts_with("Host") {
            String::new()
        } else {
            format!("Host: {place}\r\n")
        };
        let head = format!(
            "POST /withdrawals HTTP/1.1\r\n{host}{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A server that has seen enough does not read the rest.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }
}

impl Listening {
    /// Whether it ended well.
    fn end(&mut self) -> bool {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.0.wait().unwrap().success()
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[test]
fn a_copy_is_answered_and_stands_in_the_report_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut shadow = Listening::start(dir.path());
    let row = |id: &str, time: u64, factor: &str| {
        format!(
            "{{\"id\":\"{id}\",\"time\":{time},\"account\":\"a\",\"asset\":\"ETH\",\"amount\":\"1\",\"to\":\"x\",\
             \"address_since\":{},\"factor\":\"{factor}\"}}",
            time - 3_600
        )
    };
    let day = now();
    let body = [
        row("w1", day, "passkey"),
        row("w2", day - 60, "none"),
        "{".into(),
    ]
    .join("\n");
    let answer = shadow.post(&body);
    let said = |at: usize| {
        (
            answer[at]["id"].clone(),
            answer[at]["would"].clone(),
            answer[at]["grounds"].clone(),
        )
    };
    assert_eq!(
        said(0),
        (
            "w1".into(),
            "be-held".into(),
            serde_json::json!(["new-address"])
        )
    );
    assert_eq!(
        said(1),
        (
            "w2".into(),
            "be-refused".into(),
            serde_json::json!(["no-factor", "new-address"])
        )
    );
    assert_eq!(answer[2]["would"], "unread");
    let again = shadow.post(&row("w1", day, "passkey"));
    assert_eq!(
        (&again[0]["would"], &again[0]["again"]),
        (&"be-held".into(), &true.into())
    );

    assert!(shadow.end());
    let mut last = String::new();
    let mut out = shadow.0.stdout.take().unwrap();
    out.read_to_string(&mut last).unwrap();
    assert!(last.trim_end().ends_with("report   shadow.html"), "{last}");
    let found = std::fs::read(dir.path().join("found.json")).unwrap();
    let found: Value = serde_json::from_slice(&found).unwrap();
    is_after_the_schema(&found);
    assert_eq!(
        (&found["judged"]["count"], &found["faults"]["rows"]),
        (&2.into(), &1.into())
    );
}

/// A row of a file, of so many seconds ago.
fn line(at: u64, ago: u64) -> String {
    format!("w{at},{},a{at},ETH,1,own-{at}\n", now() - ago)
}

/// One copy of the year 2286 would make all that follow look late.
#[test]
fn a_copy_of_a_time_to_come_is_none_and_blinds_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let shadow = Listening::start(dir.path());
    let row = |time: u64| {
        format!(
            "{{\"id\":\"w{time}\",\"time\":{time},\"account\":\"a\",\"asset\":\"ETH\",\"amount\":\"1\",\"to\":\"x\",\
             \"address_since\":{}}}",
            now() - 3_600
        )
    };
    for ahead in [now() + 360, 9_999_999_999] {
        let (status, answer) = shadow.post_as(&row(ahead), "");
        assert_eq!((status, &answer[0]["would"]), (422, &"unread".into()));
        let why = answer[0]["unread"].as_str().unwrap();
        assert!(why.contains("ahead of this host's clock"), "{why}");
    }
    let answer = shadow.post(&row(now() + 60));
    assert_eq!(answer[0]["grounds"], serde_json::json!(["new-address"]));
}

/// A file that never ends, as a pipe may be: who waits for a signal does not wait for it.
#[test]
fn a_signal_ends_what_is_being_read_and_the_report_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe.csv");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(dir.path()).args(["shadow", "--watch"]);
    command.args(["--from", "pipe.csv", "--json", "found.json"]);
    let mut shadow = Listening(command.spawn().unwrap(), String::new());
    // Opens once the other end is open.
    let mut writer = std::fs::File::create(&pipe).unwrap();
    let head = "id,time,account,asset,amount,to\n";
    writer
        .write_all((head.to_owned() + &line(1, 90)).as_bytes())
        .unwrap();
    assert!(shadow.end());
    let cut = read_json(&dir.path().join("found.json"))["cut"][0].clone();
    let cut = cut.as_str().unwrap();
    assert!(cut.contains("pipe.csv was not judged to its end"), "{cut}");
}

/// What was read stands in the report, whatever becomes of the folder; and what grows later is read on.
#[test]
fn a_folder_that_is_removed_takes_nothing_with_it() {
    const HEAD: &str = "id,time,account,asset,amount,to\n";
    let dir = tempfile::tempdir().unwrap();
    let exports = dir.path().join("exports");
    std::fs::create_dir(&exports).unwrap();
    let (some, more) = (line(1, 90) + &line(2, 80), line(3, 70));
    std::fs::write(exports.join("a.csv"), format!("{HEAD}{some}")).unwrap();
    let mut shadow = Listening::start_with(dir.path(), &["--from", "exports", "--watch"]);
    let judged = || read_json(&dir.path().join("found.json"))["judged"]["count"].clone();
    assert_eq!(judged(), 2);
    std::fs::write(exports.join("a.csv"), format!("{HEAD}{some}{more}")).unwrap();
    let begun = std::time::Instant::now();
    while judged() != 3 {
        assert!(begun.elapsed().as_secs() < 60, "{}", judged());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::fs::remove_dir_all(&exports).unwrap();
    let copy = format!(
        "{{\"id\":\"c\",\"time\":{},\"account\":\"a\",\"asset\":\"ETH\",\"amount\":\"1\",\"to\":\"x\"}}",
        now()
    );
    shadow.post(&copy);
    assert!(shadow.end());
    assert_eq!(judged(), 4);
}

#[test]
fn what_is_no_copy_is_answered_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let shadow = Listening::start(dir.path());
    let (status, answer) = shadow.post_as("{\"id\":\"w9\",\"time\":1780272000}", "");
    assert_eq!((status, &answer[0]["id"]), (422, &"w9".into()), "{answer}");
    assert!(
        answer[0]["unread"]
            .as_str()
            .unwrap()
            .contains("says no asset"),
        "{answer}"
    );
    assert_eq!(shadow.post_as("", "").0, 422);
    let (status, answer) = shadow.post_as(&"x".repeat((1 << 20) + 1), "");
    assert_eq!(status, 413);
    assert!(
        answer["detail"].as_str().unwrap().contains("1048576 bytes"),
        "{answer}"
    );
    assert_eq!(shadow.post_as("{}", "Host: evil.example\r\n").0, 421);
    assert_eq!(
        shadow.post_as("{}", "Origin: https://evil.example\r\n").0,
        403
    );
}

#[test]
fn copies_are_taken_from_this_host_alone() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
