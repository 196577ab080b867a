import Model
import Testing
import Text

@testable import Settings

/// Where the ledger is, and how long it keeps recipients.
extension SettingsLoadTests {
    @Test func recipientsAreKeptForeverUnlessSaidOtherwise() throws {
        #expect(try load("").ledger.keep == nil)
        let kept = try load("", ["FLOTILLA_LEDGER_KEEP": "400d"])
        #expect(kept.ledger.keep == .seconds(400 * 86_400))
        for wrong in ["0d", "12h", "400", "soon", "-1d", "40000d"] {
            #expect(throws: SettingsError.self, "\(wrong)") { try load("ledger: {keep: \(wrong)}") }
        }
    }

    @Test(
        arguments: [
            ("sqlite:l.sqlite", "l.sqlite"), ("sqlite:/srv/l.sqlite", "/srv/l.sqlite"), ("sqlite:///srv/l.sqlite", "/srv/l.sqlite"),
            ("/srv/l.sqlite", "/srv/l.sqlite"), ("l.sqlite", "l.sqlite"), ("sqlite:", nil), ("sqlite://host/l.sqlite", nil),
            ("mysql://db/x", nil), ("postgres:db", nil), ("", nil), ("./a:b@c.sqlite", "./a:b@c.sqlite"), ("/srv/a:b@c", "/srv/a:b@c"),
            ("flo@host.sqlite", "flo@host.sqlite"), ("c:l.sqlite", "c:l.sqlite"),
        ] as [(String, String?)])
    func aLedgerIsNamedByAURL(text: String, path: String?) throws {
        #expect(LedgerPlace(text)?.file == path)
        guard let path else { return }
        let ledger = try load("ledger: {url: '\(text)'}").ledger
        #expect(ledger.place == .file(path: path) && ledger.hasURL)
    }

    /// A URL that lacks a letter is no path: the path of a ledger is shown.
    @Test(arguments: [
        "postgres//flo:sekret@h/l", "postgres:/flo:sekret@h/l", "postgres;//flo:sekret@h/l", "//flo:sekret@h/l", "flo:sekret@h/l",
        "host=127.0.0.1 port=1 password=sekret", "PASSWORD = sekret dbname=l", "postgres//flo:sekret", "sqlite:flo:sekret@h/l",
        "postgres://flo:sekret", "ftp://flo:sek/ret@h/l", "mysql://flo:sekret",
    ])
    func aMistypedURLIsNoPathAndItsPasswordIsNotShown(text: String) throws {
        for key in ["url", "path"] {
            let settings = "ledger: {\(key): '\(text)'}"
            if key == "url", LedgerPlace(text) != nil {
                #expect(text.hasPrefix("postgres://"))
                continue
            }
            let said = "\(try refusal(settings))"
            #expect(said.contains("is not allowed") && !said.contains("sek") && !said.contains("ret@"), "\(said)")
        }
    }

    /// What a mistyped option is compared with.
    @Test func theLedgerThatTheSettingsNameIsKnownBesideAnOption() throws {
        for (text, replaced) in [
            ("ledger: {path: flotilla.sqlite}", "flotilla.sqlite"), ("ledger: {path: l.sqlite}", "l.sqlite"), ("", nil),
        ] {
            var ledger = try load(text).ledger
            ledger.replace(by: .file(path: "other.sqlite"))
            #expect(ledger.replaced?.file == replaced && ledger.place == .file(path: "other.sqlite"))
        }
    }

    @Test func aLedgerOnAServerIsNamedByAURLAndTellsNoPassword() throws {
        for scheme in ["postgres", "postgresql", "Postgres"] {
            let settings = try load("ledger: {url: '\(scheme)://ann:hunter2@db/flotilla?sslmode=verify-full', folder: /srv/f}")
            let url = "postgres://ann:hunter2@db/flotilla?sslmode=verify-full"
            #expect(settings.ledger.place == .postgreSQL(url: Secret(url)) && settings.ledger.folder == "/srv/f")
            #expect(!"\(settings)".contains("hunter2") && !settings.differences.joined().contains("hunter2"))
        }
    }

    @Test func twoLedgersAreRefusedInWords() throws {
        let two = try refusal("ledger:\n  url: sqlite:a\n  path: b\n")
        #expect(two == ["flotilla.yaml:2: ledger.url: names the ledger, and so does ledger.path; leave one out"])
    }
}
